variable "name" {
  description = "What the names of everything here begin with."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}[a-z0-9]$", var.name))
    error_message = "name is 3 to 32 lower-case letters, digits and hyphens, begins with a letter and does not end with a hyphen."
  }
}

variable "image" {
  description = "The worker's image with its tag or digest, in this account and region: Lambda pulls from nowhere else."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9.:_/-]+(:[\\w][\\w.-]{0,127}|@sha256:[0-9a-f]{64})$", var.image)) && !endswith(var.image, ":latest")
    error_message = "image ends with a tag other than latest, or a digest, as 123456789012.dkr.ecr.eu-central-1.amazonaws.com/logfanout:1.4.0."
  }
}

variable "policy_arn" {
  description = "ARN of what the worker may do (access' output policy_arn)."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:iam::\\d{12}:policy/[\\w+=,.@/-]+$", var.policy_arn))
    error_message = "policy_arn is an IAM policy's ARN, as arn:aws:iam::123456789012:policy/logs-worker."
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

variable "worker" {
  description = "What the worker is told: where its queue, tables and roles are. The outputs of the other modules, under these names."
  type = object({
    queue_url          = string
    dead_letters_url   = string
    tenants_table_name = string
    ledger_table_name  = string
    central_role_arn   = string
    quarantine_uri     = string
    visibility_seconds = number
  })
  nullable = false

  validation {
    condition     = alltrue([for url in [var.worker.queue_url, var.worker.dead_letters_url] : can(regex("^https?://", url))])
    error_message = "worker.queue_url and worker.dead_letters_url are URLs of SQS queues, as https://sqs.eu-central-1.amazonaws.com/123456789012/logs-notices."
  }

  validation {
    condition     = can(regex("^s3://[a-z0-9.-]+/.+/$", var.worker.quarantine_uri))
    error_message = "worker.quarantine_uri is s3://BUCKET/PREFIX/ with a prefix and a slash at its end."
  }

  validation {
    condition     = can(regex("^arn:[a-z-]+:iam::\\d{12}:role/[\\w+=,.@/-]+$", var.worker.central_role_arn))
    error_message = "worker.central_role_arn is one role's ARN, as arn:aws:iam::123456789012:role/CentralLogDistribution."
  }
}

variable "key_layout" {
  description = "LOGFANOUT_KEY_LAYOUT: how a key is read."
  type        = string
  default     = "{tenant}/{cluster}/{application}/{pod}/"
  nullable    = false

  validation {
    condition     = alltrue([for part in ["{tenant}", "{cluster}", "{application}", "{pod}"] : strcontains(var.key_layout, part)])
    error_message = "key_layout names {tenant}, {cluster}, {application} and {pod}, as {tenant}/{cluster}/{application}/{pod}/ ."
  }
}

variable "settings" {
  description = "Further variables of the worker, as { LOG_LEVEL = \"DEBUG\" }; docs/operating.md lists them. Not for secrets."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.settings) : can(regex("^(LOGFANOUT_[A-Z_]+|LOG_LEVEL|AWS_[A-Z0-9_]+)$", name))])
    error_message = "settings may hold LOGFANOUT_*, LOG_LEVEL and AWS_*; the rest is set here."
  }

  validation {
    condition = length(setintersection(keys(var.settings), [
      "LOGFANOUT_DLQ_URL", "LOGFANOUT_DRAIN_SECONDS", "LOGFANOUT_HTTP_PORT", "LOGFANOUT_KEY_LAYOUT", "LOGFANOUT_LEDGER_TABLE",
      "LOGFANOUT_LOG_FORMAT", "LOGFANOUT_QUARANTINE_URI", "LOGFANOUT_VISIBILITY_SECONDS",
    ])) == 0
    error_message = "settings must not repeat what this module sets from its other inputs: the queue, tables, layout, drain and log format."
  }

  validation {
    condition     = alltrue([for name in keys(var.settings) : !can(regex("^AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN)$", name))])
    error_message = "settings hold no credentials: the worker has a role."
  }
}

variable "cpu_architecture" {
  description = "ARM64 (cheaper by a fifth) or X86_64; the image must have it."
  type        = string
  default     = "ARM64"
  nullable    = false

  validation {
    condition     = contains(["ARM64", "X86_64"], var.cpu_architecture)
    error_message = "cpu_architecture is ARM64 or X86_64."
  }
}

variable "memory_mib" {
  description = "Memory in MiB; Lambda gives a vCPU with each 1,769."
  type        = number
  default     = 1769
  nullable    = false

  validation {
    condition     = floor(var.memory_mib) == var.memory_mib && var.memory_mib >= 512 && var.memory_mib <= 10240
    error_message = "memory_mib is a whole number from 512 to 10,240."
  }
}

variable "timeout_seconds" {
  description = "How long one batch may take; the queue's visibility must be six times that."
  type        = number
  default     = 150
  nullable    = false

  validation {
    condition     = floor(var.timeout_seconds) == var.timeout_seconds && var.timeout_seconds >= 10 && var.timeout_seconds <= 900
    error_message = "timeout_seconds is a whole number from 10 to 900; Lambda allows no more."
  }

  validation {
    condition     = var.timeout_seconds * 6 <= var.worker.visibility_seconds
    error_message = "timeout_seconds must be a sixth of the queue's visibility or less (\"Configuring a queue to use with Lambda\"): set the queue's visibility_seconds to 900 for the default."
  }
}

variable "batch_size" {
  description = "Messages in one call of the function."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = floor(var.batch_size) == var.batch_size && var.batch_size >= 1 && var.batch_size <= 10
    error_message = "batch_size is a whole number from 1 to 10: more messages than that outlast a timeout together."
  }
}

variable "maximum_concurrency" {
  description = "Functions at once, at most."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = floor(var.maximum_concurrency) == var.maximum_concurrency && var.maximum_concurrency >= 2 && var.maximum_concurrency <= 1000
    error_message = "maximum_concurrency is a whole number from 2 to 1,000, as event source mappings allow."
  }
}

variable "log_retention_days" {
  description = "How long the function's own log is kept."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is one of CloudWatch's values: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "key_deletion_days" {
  description = "Days between asking KMS to delete the key and its end."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = floor(var.key_deletion_days) == var.key_deletion_days && var.key_deletion_days >= 7 && var.key_deletion_days <= 30
    error_message = "key_deletion_days is a whole number of days from 7 to 30, as KMS allows."
  }
}
