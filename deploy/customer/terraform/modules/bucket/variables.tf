variable "tenant_id" {
  description = "The name under which the platform knows these logs. The platform tells it."
  type        = string
  nullable    = false

  # It becomes part of a policy's resource: no "*", no "?", no "$", no "/".
  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_.:=+@-]{0,254}$", var.tenant_id))
    error_message = "tenant_id must be 1 to 255 letters, digits or _ . : = + @ - and begin with a letter or a digit: take it from the platform as it is."
  }
}

variable "central_role_arn" {
  description = "The platform's central log distribution role, which makes the copies. The platform tells it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]{1,576}$", var.central_role_arn))
    error_message = "central_role_arn must be the ARN of a role, such as arn:aws:iam::123456789012:role/central-log-distribution: no account's root, no user, no wildcard."
  }
}

variable "name" {
  description = "The bucket's name."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 63 lower-case letters, digits, dots and hyphens, the first and the last a letter or a digit."
  }
}

variable "prefix" {
  description = "What the keys of the copies begin with; the tenant's name follows it."
  type        = string
  nullable    = false
  default     = "ROSA/cluster-logs/"

  validation {
    condition     = can(regex("^([A-Za-z0-9_.=+@-]+/)*$", var.prefix)) && length(var.prefix) <= 256
    error_message = "prefix must be empty or folders of letters, digits or _ . = + @ -, each ending with /, such as logs/platform/, 256 characters in all."
  }
}

variable "retention_days" {
  description = "Days that copies are kept; 0: for ever."
  type        = number
  nullable    = false
  default     = 30

  validation {
    condition     = var.retention_days >= 0 && var.retention_days <= 36500 && floor(var.retention_days) == var.retention_days
    error_message = "retention_days must be 0 (for ever) or a whole number of days up to 36,500."
  }
}

variable "tags" {
  description = "Tags of the bucket."
  type        = map(string)
  nullable    = false
  default     = {}

  validation {
    condition     = length(var.tags) <= 50 && !anytrue([for key in keys(var.tags) : startswith(lower(key), "aws:")])
    error_message = "tags must be at most 50, none of them named aws:…."
  }
}
