# A region on Lambda: for little traffic, or none for hours. No network, no tasks, nothing to scale.

provider "aws" {
  region = var.region

  default_tags {
    tags = { application = "logfanout" }
  }
}

data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

locals {
  # By name: the function is told it before it is there, and it trusts the function's role by its ARN.
  central_role_name = "CentralLogDistribution"
  central_role_arn  = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role/${local.central_role_name}"
}

module "global" {
  source = "../../modules/global"

  role_name            = local.central_role_name
  worker_role_arns     = [module.lambda.worker_role_arn]
  staging_bucket_names = [var.bucket_name]
}

module "staging" {
  source = "../../modules/staging"

  name              = var.name
  bucket_name       = var.bucket_name
  central_role_arn  = local.central_role_arn
  destroy_with_logs = var.destroy_with_logs
}

module "writer" {
  source = "../../modules/writer"

  name           = var.name
  bucket_arn     = module.staging.bucket_arn
  bucket_key_arn = module.staging.key_arn
  clusters       = var.clusters
}

module "tenants" {
  source = "../../modules/tenants"

  name                = var.name
  deletion_protection = var.deletion_protection
}

module "queue" {
  source = "../../modules/queue"

  name               = var.name
  topic_arn          = module.staging.topic_arn
  visibility_seconds = 6 * var.timeout_seconds # as Lambda wants it
}

module "access" {
  source = "../../modules/access"

  name              = var.name
  queue_arn         = module.queue.queue_arn
  dead_letters_arn  = module.queue.dead_letters_arn
  queue_key_arn     = module.queue.key_arn
  bucket_arn        = module.staging.bucket_arn
  bucket_key_arn    = module.staging.key_arn
  tenants_table_arn = module.tenants.table_arn
  ledger_table_arn  = module.tenants.ledger_table_arn
  tables_key_arn    = module.tenants.key_arn
  central_role_arn  = local.central_role_arn
}

module "registry" {
  source = "../../modules/registry"

  repository_name     = var.name
  destroy_with_images = var.destroy_with_logs
}

module "lambda" {
  source = "../../modules/lambda"

  name                = var.name
  image               = "${module.registry.repository_url}:${var.image_tag}"
  cpu_architecture    = var.cpu_architecture
  timeout_seconds     = var.timeout_seconds
  maximum_concurrency = var.maximum_concurrency
  queue_arn           = module.queue.queue_arn
  policy_arn          = module.access.policy_arn

  worker = {
    queue_url          = module.queue.queue_url
    dead_letters_url   = module.queue.dead_letters_url
    tenants_table_name = module.tenants.table_name
    ledger_table_name  = module.tenants.ledger_table_name
    central_role_arn   = local.central_role_arn
    quarantine_uri     = "s3://${module.staging.bucket_name}/${module.access.quarantine_prefix}"
    visibility_seconds = module.queue.visibility_seconds
  }
}

module "alarms" {
  source = "../../modules/alarms"

  name              = var.name
  queue_name        = module.queue.queue_name
  dead_letters_name = module.queue.dead_letters_name
  table_names       = [module.tenants.table_name, module.tenants.ledger_table_name]
  log_group_name    = module.lambda.log_group_name

  functions = {
    worker = { function_name = module.lambda.function_name, maximum_concurrency = var.maximum_concurrency }
  }
}
