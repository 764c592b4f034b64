# A customer that wants everything: a group and a bucket of its own, and sessions that say for whom they are.

provider "aws" {
  region = var.region
}

variable "region" {
  description = "Where the logs are to be kept."
  type        = string
  nullable    = false
  default     = "eu-central-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]{2,12}){1,3}-[0-9]{1,2}$", var.region))
    error_message = "region must be a region's name, such as eu-central-1."
  }
}

variable "platform" {
  description = "What the platform told this customer."
  type = object({
    tenant_id        = string
    central_role_arn = string
    external_id      = string
  })
  nullable = false
}

variable "bucket_name" {
  description = "A name for the bucket that takes copies."
  type        = string
  nullable    = false
}

module "log_group" {
  source = "../../modules/log_group"

  name           = "/platform/${var.platform.tenant_id}"
  retention_days = 90
}

module "logfanout" {
  source = "../.."

  tenant_id           = var.platform.tenant_id
  central_role_arn    = var.platform.central_role_arn
  external_id         = var.platform.external_id
  require_session_tag = true
  log_group_name      = module.log_group.name
}

module "bucket" {
  source = "../../modules/bucket"

  tenant_id        = var.platform.tenant_id
  central_role_arn = var.platform.central_role_arn
  name             = var.bucket_name
}

output "rows" {
  description = "Send these to the platform."
  value       = [module.logfanout.cloudwatch_row, module.bucket.s3_row]
}
