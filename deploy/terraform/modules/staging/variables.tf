variable "name" {
  description = "What the names of everything here begin with."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}[a-z0-9]$", var.name))
    error_message = "name is 3 to 32 lower-case letters, digits and hyphens, begins with a letter and does not end with a hyphen."
  }
}

variable "bucket_name" {
  description = "Name of the bucket; unique in all of AWS."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.bucket_name))
    error_message = "bucket_name is 3 to 63 lower-case letters, digits and hyphens. No dots: they break TLS to the bucket's own host name."
  }
}

variable "central_role_arn" {
  description = "ARN of the central role (global's output role_arn), which copies logs into tenants' buckets; it need not exist yet. Empty: nobody does."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.central_role_arn == "" || can(regex("^arn:[a-z-]+:iam::\\d{12}:role/[\\w+=,.@/-]+$", var.central_role_arn))
    error_message = "central_role_arn is empty or a role in full, as arn:aws:iam::123456789012:role/CentralLogDistribution; no wildcards."
  }
}

variable "transitions_days" {
  description = "Storage class to the age in days at which an object moves there; none: they stay where they are."
  type        = map(number)
  default     = { INTELLIGENT_TIERING = 1 }
  nullable    = false

  validation {
    condition = alltrue([
      for class in keys(var.transitions_days) : contains(["INTELLIGENT_TIERING", "STANDARD_IA", "ONEZONE_IA", "GLACIER_IR"], class)
    ])
    error_message = "transitions_days may name INTELLIGENT_TIERING, STANDARD_IA, ONEZONE_IA and GLACIER_IR. Other classes need a restore first, and a replay would fail."
  }

  validation {
    condition = alltrue([
      for class, days in var.transitions_days : floor(days) == days && days >= (endswith(class, "_IA") ? 30 : 0)
    ])
    error_message = "transitions_days are whole days; STANDARD_IA and ONEZONE_IA take nothing younger than 30."
  }
}

variable "transition_minimum_bytes" {
  description = "Objects of this size or less do not move: the move would cost more than it saves."
  type        = number
  default     = 1048576
  nullable    = false

  validation {
    condition     = floor(var.transition_minimum_bytes) == var.transition_minimum_bytes && var.transition_minimum_bytes >= 131072
    error_message = "transition_minimum_bytes is a whole number from 131,072 (128 KiB) on: the cheaper classes bill no object as less."
  }
}

variable "expire_days" {
  description = "Age in days at which an object goes: how far back a replay can reach."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = floor(var.expire_days) == var.expire_days && var.expire_days >= 1 && var.expire_days <= 3650
    error_message = "expire_days is a whole number of days from 1 to 3,650."
  }

  validation {
    condition     = alltrue([for days in values(var.transitions_days) : days < var.expire_days])
    error_message = "expire_days must be later than every transition: an object that is gone moves nowhere."
  }

  validation {
    condition     = var.expire_days >= 15
    error_message = "expire_days must be 15 or more: a message waits in its queue for up to 14 days, and its object must still be there."
  }
}

variable "undelete_days" {
  description = "How many days an overwritten, deleted or expired object can still be brought back."
  type        = number
  default     = 3
  nullable    = false

  validation {
    condition     = floor(var.undelete_days) == var.undelete_days && var.undelete_days >= 1 && var.undelete_days <= 365
    error_message = "undelete_days is a whole number of days from 1 to 365."
  }
}

variable "key_deletion_days" {
  description = "Days between asking KMS to delete the key and its end; after that no object can be read."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = floor(var.key_deletion_days) == var.key_deletion_days && var.key_deletion_days >= 7 && var.key_deletion_days <= 30
    error_message = "key_deletion_days is a whole number of days from 7 to 30, as KMS allows."
  }
}

variable "destroy_with_logs" {
  description = "Whether terraform destroy may delete the bucket while there are logs in it."
  type        = bool
  default     = false
  nullable    = false
}
