# A region in one apply: everything, workers on Fargate included.

provider "aws" {
  region = var.region

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
  worker_role_arns     = [module.regional.worker_role_arn]
  staging_bucket_names = [var.bucket_name]
}

module "registry" {
  source = "../../modules/registry"

  repository_name     = var.name
  destroy_with_images = var.destroy_with_logs
}

module "regional" {
  source = "../../modules/regional"

  name                        = var.name
  bucket_name                 = var.bucket_name
  clusters                    = var.clusters
  brokers                     = var.brokers
  central_role_arn            = local.central_role_arn
  image                       = "${module.registry.repository_url}:${var.image_tag}"
  repository_arn              = module.registry.repository_arn
  cpu_architecture            = var.cpu_architecture
  spot_percent                = var.spot_percent
  maximum_tasks               = var.maximum_tasks
  settings                    = var.settings
  vpc_id                      = var.vpc_id
  subnet_ids                  = var.subnet_ids
  egress_cidr_blocks          = var.egress_cidr_blocks
  endpoint_security_group_ids = { endpoints = module.endpoints.security_group_id }
  gateway_prefix_list_ids     = module.endpoints.prefix_list_ids
  deletion_protection         = var.deletion_protection
  destroy_with_logs           = var.destroy_with_logs
}

module "endpoints" {
  source = "../../modules/endpoints"

  name                      = var.name
  vpc_id                    = var.vpc_id
  subnet_ids                = var.subnet_ids
  route_table_ids           = var.route_table_ids
  client_security_group_ids = { workers = module.regional.security_group_id }
}

module "autoscaling" {
  source   = "../../modules/autoscaling"
  for_each = var.emulated ? {} : { workers = module.regional.service_name }

  name             = var.name
  cluster_name     = module.regional.cluster_name
  service_name     = each.value
  queue_name       = module.regional.queue_name
  maximum_tasks    = var.maximum_tasks
  backlog_per_task = var.backlog_per_task
}
