# Core only: the bucket, its announcements, the tenants and the roles. Who consumes the topic is your own affair.

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
