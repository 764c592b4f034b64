# What the mocked provider makes up for tests: text of the form AWS gives, so that what is handed on passes the checks
# of who receives it. A test that tells two of a kind apart gives them values of their own.

mock_data "aws_partition" {
  defaults = {
    partition  = "aws"
    dns_suffix = "amazonaws.com"
  }
}

mock_data "aws_caller_identity" {
  defaults = { account_id = "999999999999" }
}

mock_data "aws_region" {
  defaults = {
    id   = "eu-central-1"
    name = "eu-central-1"
  }
}

mock_data "aws_vpc_endpoint_service" {
  defaults = { service_name = "com.amazonaws.eu-central-1.service" }
}

mock_resource "aws_kms_key" {
  defaults = { arn = "arn:aws:kms:eu-central-1:999999999999:key/11111111-1111-1111-1111-111111111111" }
}

mock_resource "aws_sqs_queue" {
  defaults = {
    arn = "arn:aws:sqs:eu-central-1:999999999999:logs-some-queue"
    url = "https://sqs.eu-central-1.amazonaws.com/999999999999/logs-some-queue"
    id  = "https://sqs.eu-central-1.amazonaws.com/999999999999/logs-some-queue"
  }
}

mock_resource "aws_sns_topic" {
  defaults = { arn = "arn:aws:sns:eu-central-1:999999999999:logs-notices" }
}

mock_resource "aws_dynamodb_table" {
  defaults = { arn = "arn:aws:dynamodb:eu-central-1:999999999999:table/some-table" }
}

mock_resource "aws_iam_role" {
  defaults = { arn = "arn:aws:iam::999999999999:role/some-role" }
}

mock_resource "aws_iam_policy" {
  defaults = { arn = "arn:aws:iam::999999999999:policy/some-policy" }
}

mock_resource "aws_ecr_repository" {
  defaults = {
    arn            = "arn:aws:ecr:eu-central-1:999999999999:repository/logfanout"
    repository_url = "999999999999.dkr.ecr.eu-central-1.amazonaws.com/logfanout"
  }
}

mock_resource "aws_security_group" {
  defaults = { id = "sg-0123456789abcdef0" }
}

mock_resource "aws_vpc_endpoint" {
  defaults = { prefix_list_id = "pl-0123456789abcdef0" }
}

mock_resource "aws_lambda_function" {
  defaults = { arn = "arn:aws:lambda:eu-central-1:999999999999:function:logs-worker" }
}

mock_resource "aws_appautoscaling_policy" {
  defaults = { arn = "arn:aws:autoscaling:eu-central-1:999999999999:scalingPolicy:1:resource/ecs/service/logs/logs-worker:policyName/age" }
}

mock_resource "aws_cloudwatch_metric_alarm" {
  defaults = { arn = "arn:aws:cloudwatch:eu-central-1:999999999999:alarm:some-alarm" }
}

mock_resource "aws_ecs_task_definition" {
  defaults = { arn = "arn:aws:ecs:eu-central-1:999999999999:task-definition/logs-worker:1" }
}

mock_resource "aws_ecs_cluster" {
  defaults = {
    arn = "arn:aws:ecs:eu-central-1:999999999999:cluster/logs"
    id  = "arn:aws:ecs:eu-central-1:999999999999:cluster/logs"
  }
}
