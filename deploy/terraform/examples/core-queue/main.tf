# Core and queue: as core, and a queue with its dead letters for consumers of your own, logfanout on Kubernetes among them.

provider "aws" {
  region = var.region

  default_tags {
    tags = { application = "logfanout" }
  }
}

module "global" {
  source = "../../modules/global"

  worker_role_arns     = var.consumer_role_arns
  staging_bucket_names = [var.bucket_name]
}

module "staging" {
  source = "../../modules/staging"

  name              = var.name
  bucket_name       = var.bucket_name
  central_role_arn  = module.global.role_arn
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

  name      = var.name
  topic_arn = module.staging.topic_arn
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
  central_role_arn  = module.global.role_arn
}
