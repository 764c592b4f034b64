# What is a region made of?
#
#     writer ──► staging ──► queue ──► fleet ──► the central role ──► tenants' accounts
#                              │         ├── access: what it may do
#                              │         └── tenants: for whom, and what has been done
#                              └── alarms
#
# The registry, the endpoints and the autoscaling stand beside it: a network may have endpoints already, several regions
# may share one image, and a fleet may be scaled in other ways.

module "staging" {
  source = "../staging"

  name              = var.name
  bucket_name       = var.bucket_name
  central_role_arn  = var.central_role_arn
  transitions_days  = var.transitions_days
  expire_days       = var.expire_days
  key_deletion_days = var.key_deletion_days
  destroy_with_logs = var.destroy_with_logs
}

module "writer" {
  source = "../writer"

  name           = var.name
  bucket_arn     = module.staging.bucket_arn
  bucket_key_arn = module.staging.key_arn
  key_prefix     = replace(var.key_layout, "/^(\\{[a-z]+\\}/\\{[a-z]+\\}/).*$/", "$1")
  clusters       = var.clusters
  brokers        = var.brokers
}

module "queue" {
  source = "../queue"

  name               = var.name
  topic_arn          = module.staging.topic_arn
  drain_seconds      = var.drain_seconds
  visibility_seconds = var.visibility_seconds
  maximum_receives   = var.maximum_receives
  key_deletion_days  = var.key_deletion_days
}

module "tenants" {
  source = "../tenants"

  name                = var.name
  table_name          = var.tenants_table_name
  deletion_protection = var.deletion_protection
  key_deletion_days   = var.key_deletion_days
}

module "access" {
  source = "../access"

  name              = var.name
  queue_arn         = module.queue.queue_arn
  dead_letters_arn  = module.queue.dead_letters_arn
  queue_key_arn     = module.queue.key_arn
  bucket_arn        = module.staging.bucket_arn
  bucket_key_arn    = module.staging.key_arn
  tenants_table_arn = module.tenants.table_arn
  ledger_table_arn  = module.tenants.ledger_table_arn
  tables_key_arn    = module.tenants.key_arn
  central_role_arn  = var.central_role_arn
}

module "fleet" {
  source = "../fleet"

  name                 = var.name
  image                = var.image
  repository_arn       = var.repository_arn
  policy_arn           = module.access.policy_arn
  key_layout           = var.key_layout
  settings             = var.settings
  cpu_architecture     = var.cpu_architecture
  cpu_units            = var.cpu_units
  memory_mib           = var.memory_mib
  on_demand_base_tasks = var.on_demand_base_tasks
  spot_percent         = var.spot_percent
  drain_seconds        = var.drain_seconds
  stop_timeout_seconds = var.stop_timeout_seconds
  log_retention_days   = var.log_retention_days
  key_deletion_days    = var.key_deletion_days

  vpc_id                      = var.vpc_id
  subnet_ids                  = var.subnet_ids
  endpoint_security_group_ids = var.endpoint_security_group_ids
  gateway_prefix_list_ids     = var.gateway_prefix_list_ids
  egress_cidr_blocks          = var.egress_cidr_blocks
  scraper_security_group_ids  = var.scraper_security_group_ids

  worker = {
    queue_url          = module.queue.queue_url
    dead_letters_url   = module.queue.dead_letters_url
    tenants_table_name = module.tenants.table_name
    ledger_table_name  = module.tenants.ledger_table_name
    central_role_arn   = var.central_role_arn
    quarantine_uri     = "s3://${module.staging.bucket_name}/${module.access.quarantine_prefix}"
    visibility_seconds = module.queue.visibility_seconds
  }
}

module "alarms" {
  source = "../alarms"

  name                   = var.name
  queue_name             = module.queue.queue_name
  dead_letters_name      = module.queue.dead_letters_name
  table_names            = [module.tenants.table_name, module.tenants.ledger_table_name]
  log_group_name         = module.fleet.log_group_name
  oldest_message_seconds = var.oldest_message_seconds
  key_deletion_days      = var.key_deletion_days

  fleets = {
    workers = {
      cluster_name  = module.fleet.cluster_name
      service_name  = module.fleet.service_name
      maximum_tasks = var.maximum_tasks
    }
  }
}
