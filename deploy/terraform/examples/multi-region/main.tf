# Two regions, one central role: a bucket, a queue and a fleet in each, so that logs are read where they lie.
#
# Names of roles and policies are the account's, not the region's: the regions' names must differ.

provider "aws" {
  region = var.europe.region

  default_tags {
    tags = { application = "logfanout" }
  }
}

provider "aws" {
  alias  = "america"
  region = var.america.region

  default_tags {
    tags = { application = "logfanout" }
  }
}

data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

locals {
  # By name: the workers are told it before it is there, and it trusts the workers by their ARN.
  central_role_name = "CentralLogDistribution"
  central_role_arn  = "arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:role/${local.central_role_name}"
}

module "global" {
  source = "../../modules/global"

  role_name            = local.central_role_name
  worker_role_arns     = [module.europe.worker_role_arn, module.america.worker_role_arn]
  staging_bucket_names = [var.europe.bucket_name, var.america.bucket_name]
}

# ------------------------------------------------------------------------------------------------------------ europe

module "europe_registry" {
  source = "../../modules/registry"

  repository_name     = var.europe.name
  destroy_with_images = var.destroy_with_logs
}

module "europe" {
  source = "../../modules/regional"

  name                        = var.europe.name
  bucket_name                 = var.europe.bucket_name
  clusters                    = var.europe.clusters
  central_role_arn            = local.central_role_arn
  image                       = "${module.europe_registry.repository_url}:${var.image_tag}"
  repository_arn              = module.europe_registry.repository_arn
  maximum_tasks               = var.europe.maximum_tasks
  vpc_id                      = var.europe.vpc_id
  subnet_ids                  = var.europe.subnet_ids
  egress_cidr_blocks          = ["0.0.0.0/0"] # tenants' groups may be in the other region
  endpoint_security_group_ids = { endpoints = module.europe_endpoints.security_group_id }
  gateway_prefix_list_ids     = module.europe_endpoints.prefix_list_ids
  deletion_protection         = var.deletion_protection
  destroy_with_logs           = var.destroy_with_logs
}

module "europe_endpoints" {
  source = "../../modules/endpoints"

  name                      = var.europe.name
  vpc_id                    = var.europe.vpc_id
  subnet_ids                = var.europe.subnet_ids
  route_table_ids           = var.europe.route_table_ids
  client_security_group_ids = { workers = module.europe.security_group_id }
}

module "europe_autoscaling" {
  source = "../../modules/autoscaling"

  name          = var.europe.name
  cluster_name  = module.europe.cluster_name
  service_name  = module.europe.service_name
  queue_name    = module.europe.queue_name
  maximum_tasks = var.europe.maximum_tasks
}

# ------------------------------------------------------------------------------------------------------------ america

module "america_registry" {
  source    = "../../modules/registry"
  providers = { aws = aws.america }

  repository_name     = var.america.name
  destroy_with_images = var.destroy_with_logs
}

module "america" {
  source    = "../../modules/regional"
  providers = { aws = aws.america }

  name                        = var.america.name
  bucket_name                 = var.america.bucket_name
  clusters                    = var.america.clusters
  central_role_arn            = local.central_role_arn
  image                       = "${module.america_registry.repository_url}:${var.image_tag}"
  repository_arn              = module.america_registry.repository_arn
  maximum_tasks               = var.america.maximum_tasks
  vpc_id                      = var.america.vpc_id
  subnet_ids                  = var.america.subnet_ids
  egress_cidr_blocks          = ["0.0.0.0/0"] # tenants' groups may be in the other region
  endpoint_security_group_ids = { endpoints = module.america_endpoints.security_group_id }
  gateway_prefix_list_ids     = module.america_endpoints.prefix_list_ids
  deletion_protection         = var.deletion_protection
  destroy_with_logs           = var.destroy_with_logs
}

module "america_endpoints" {
  source    = "../../modules/endpoints"
  providers = { aws = aws.america }

  name                      = var.america.name
  vpc_id                    = var.america.vpc_id
  subnet_ids                = var.america.subnet_ids
  route_table_ids           = var.america.route_table_ids
  client_security_group_ids = { workers = module.america.security_group_id }
}

module "america_autoscaling" {
  source    = "../../modules/autoscaling"
  providers = { aws = aws.america }

  name          = var.america.name
  cluster_name  = module.america.cluster_name
  service_name  = module.america.service_name
  queue_name    = module.america.queue_name
  maximum_tasks = var.america.maximum_tasks
}
