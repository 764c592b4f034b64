mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name                      = "logs"
  vpc_id                    = "vpc-0123456789abcdef0"
  subnet_ids                = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
  route_table_ids           = ["rtb-0123456789abcdef0"]
  client_security_group_ids = { workers = "sg-0123456789abcdef1" }
}

run "every_service_a_task_needs_has_its_endpoint" {
  command = apply

  assert {
    condition     = toset(keys(aws_vpc_endpoint.gateways)) == toset(["s3", "dynamodb"])
    error_message = "S3 and DynamoDB must be reached through gateways, which cost nothing."
  }

  assert {
    condition     = toset(keys(aws_vpc_endpoint.interfaces)) == toset(["sqs", "sts", "logs", "ecr.api", "ecr.dkr"])
    error_message = "SQS, STS, Logs and both halves of ECR must be reached without the internet."
  }

  assert {
    condition     = alltrue([for endpoint in aws_vpc_endpoint.interfaces : endpoint.private_dns_enabled])
    error_message = "The services' own names must lead to the endpoints: the worker knows no others."
  }

  assert {
    condition = alltrue([
      for rule in aws_vpc_security_group_ingress_rule.https :
      rule.from_port == 443 && rule.to_port == 443 && rule.referenced_security_group_id == "sg-0123456789abcdef1"
    ])
    error_message = "HTTPS from the workers, and nothing else, may come in."
  }
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    name                      = "l"
    vpc_id                    = "default"
    subnet_ids                = []
    route_table_ids           = ["main"]
    client_security_group_ids = {}
    trusted_account_ids       = ["12345"]
    customer_role_prefix      = "*"
  }

  expect_failures = [
    var.name, var.vpc_id, var.subnet_ids, var.route_table_ids, var.client_security_group_ids, var.trusted_account_ids,
    var.customer_role_prefix,
  ]
}
