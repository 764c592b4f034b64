variable "name" {
  description = "What the names of everything here begin with."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}[a-z0-9]$", var.name))
    error_message = "name is 3 to 32 lower-case letters, digits and hyphens, begins with a letter and does not end with a hyphen."
  }
}

variable "queue_arn" {
  description = "ARN of the queue of notices (queue's output queue_arn)."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:sqs:[a-z0-9-]+:\\d{12}:[\\w-]+$", var.queue_arn))
    error_message = "queue_arn is an SQS queue's ARN, as arn:aws:sqs:eu-central-1:123456789012:logs-notices."
  }
}

variable "dead_letters_arn" {
  description = "ARN of the dead letters (queue's output dead_letters_arn)."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:sqs:[a-z0-9-]+:\\d{12}:[\\w-]+$", var.dead_letters_arn))
    error_message = "dead_letters_arn is an SQS queue's ARN, as arn:aws:sqs:eu-central-1:123456789012:logs-dead-letters."
  }
}

variable "queue_key_arn" {
  description = "ARN of the key of both queues (queue's output key_arn)."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:\\d{12}:key/[\\w-]+$", var.queue_key_arn))
    error_message = "queue_key_arn is a KMS key's ARN, as arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab; not an alias."
  }
}

variable "bucket_arn" {
  description = "ARN of the bucket of logs (staging's output bucket_arn)."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:s3:::[a-z0-9.-]+$", var.bucket_arn))
    error_message = "bucket_arn is an S3 bucket's ARN, as arn:aws:s3:::my-logs."
  }
}

variable "bucket_key_arn" {
  description = "ARN of the key of the bucket (staging's output key_arn)."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:\\d{12}:key/[\\w-]+$", var.bucket_key_arn))
    error_message = "bucket_key_arn is a KMS key's ARN, as arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab; not an alias."
  }
}

variable "tenants_table_arn" {
  description = "ARN of the table of tenants (tenants' output table_arn)."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:dynamodb:[a-z0-9-]+:\\d{12}:table/[\\w.-]+$", var.tenants_table_arn))
    error_message = "tenants_table_arn is a DynamoDB table's ARN, as arn:aws:dynamodb:eu-central-1:123456789012:table/tenant-configurations."
  }
}

variable "ledger_table_arn" {
  description = "ARN of the ledger (tenants' output ledger_table_arn)."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:dynamodb:[a-z0-9-]+:\\d{12}:table/[\\w.-]+$", var.ledger_table_arn))
    error_message = "ledger_table_arn is a DynamoDB table's ARN, as arn:aws:dynamodb:eu-central-1:123456789012:table/logs-ledger."
  }
}

variable "tables_key_arn" {
  description = "ARN of the key of both tables (tenants' output key_arn)."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:\\d{12}:key/[\\w-]+$", var.tables_key_arn))
    error_message = "tables_key_arn is a KMS key's ARN, as arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab; not an alias."
  }
}

variable "central_role_arn" {
  description = "ARN of the central role (global's output role_arn); it need not exist yet."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:iam::\\d{12}:role/[\\w+=,.@/-]+$", var.central_role_arn))
    error_message = "central_role_arn is one role's ARN, as arn:aws:iam::123456789012:role/CentralLogDistribution; no wildcards."
  }
}

variable "quarantine_prefix" {
  description = "Prefix in the bucket for records that can never be delivered; no tenant's keys may begin so."
  type        = string
  default     = "logfanout-quarantine/"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]+/([A-Za-z0-9_.-]+/)*$", var.quarantine_prefix))
    error_message = "quarantine_prefix is one or more segments of letters, digits, dots, hyphens and underscores, each ended by a slash, as logfanout-quarantine/ ."
  }
}
