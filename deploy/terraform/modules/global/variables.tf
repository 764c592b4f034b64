variable "role_name" {
  description = "Name of the central role; customers write it into their trust policies."
  type        = string
  default     = "CentralLogDistribution"
  nullable    = false

  validation {
    condition     = can(regex("^[\\w+=,.@-]{1,64}$", var.role_name))
    error_message = "role_name is an IAM role's name: 1 to 64 letters, digits or any of +=,.@-_ ."
  }
}

variable "worker_role_arns" {
  description = "ARNs of the roles that deliver, one for each region's fleet or function (output worker_role_arn)."
  type        = set(string)
  nullable    = false

  validation {
    condition = length(var.worker_role_arns) > 0 && alltrue([
      for arn in var.worker_role_arns : can(regex("^arn:[a-z-]+:iam::\\d{12}:role/[\\w+=,.@/-]+$", arn))
    ])
    error_message = "worker_role_arns names at least one role in full, as arn:aws:iam::123456789012:role/logfanout-worker; no wildcards."
  }
}

variable "customer_role_prefix" {
  description = "What the names of customers' roles begin with; no other role can be entered."
  type        = string
  default     = "CustomerLogDistribution-"
  nullable    = false

  validation {
    condition     = can(regex("^[\\w+=,.@-]{8,60}$", var.customer_role_prefix))
    error_message = "customer_role_prefix is 8 to 60 letters, digits or any of +=,.@-_ : short enough for a suffix, long enough to mean something."
  }
}

variable "external_ids" {
  description = "External ids that may be sent; empty: any, but never none. Tenants with ids of their own must be listed, if any is."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.external_ids : can(regex("^[\\w+=,.@:/-]+$", id)) && length(id) >= 2 && length(id) <= 1224])
    error_message = "An external id is 2 to 1,224 letters, digits or any of +=,.@:/-_ , as STS takes it."
  }
}

variable "staging_bucket_names" {
  description = "Names of the regions' buckets of logs, which S3 destinations are copied from; they need not exist yet. Empty: nothing is copied."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for name in var.staging_bucket_names : can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", name))])
    error_message = "staging_bucket_names are buckets' names as staging takes them: 3 to 63 lower-case letters, digits and hyphens; no wildcards."
  }
}

variable "platform_account_ids" {
  description = "The platform's accounts beside this one: logs may be read from buckets there, and nothing is ever copied into one."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.platform_account_ids : can(regex("^\\d{12}$", id))])
    error_message = "platform_account_ids are AWS account ids of 12 digits, in quotes so that a leading zero stays."
  }
}
