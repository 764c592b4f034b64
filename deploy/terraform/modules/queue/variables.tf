variable "name" {
  description = "What the names of everything here begin with."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}[a-z0-9]$", var.name))
    error_message = "name is 3 to 32 lower-case letters, digits and hyphens, begins with a letter and does not end with a hyphen."
  }
}

variable "topic_arn" {
  description = "ARN of the topic that announces new objects (staging's output topic_arn)."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:sns:[a-z0-9-]+:\\d{12}:[\\w-]+$", var.topic_arn))
    error_message = "topic_arn is an SNS topic's ARN, as arn:aws:sns:eu-central-1:123456789012:logs-notices."
  }
}

variable "drain_seconds" {
  description = "How long a worker takes to stop; a message must stay hidden for longer."
  type        = number
  default     = 25
  nullable    = false

  validation {
    condition     = var.drain_seconds >= 1 && var.drain_seconds <= 118
    error_message = "drain_seconds is from 1 to 118: ECS kills a task 120 s after SIGTERM at the latest."
  }
}

variable "visibility_seconds" {
  description = "How long a received message stays hidden; workers extend it while they work. A Lambda function wants six times its timeout."
  type        = number
  default     = 120
  nullable    = false

  validation {
    condition     = floor(var.visibility_seconds) == var.visibility_seconds && var.visibility_seconds >= 10 && var.visibility_seconds <= 43200
    error_message = "visibility_seconds is a whole number from 10 to 43,200 (12 h), as SQS and the worker allow."
  }

  validation {
    condition     = var.visibility_seconds > var.drain_seconds
    error_message = "visibility_seconds must be more than drain_seconds: else a message is shown again while its worker still drains."
  }
}

variable "maximum_receives" {
  description = "How often a message is received before SQS moves it to the dead letters."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = floor(var.maximum_receives) == var.maximum_receives && var.maximum_receives >= 10 && var.maximum_receives <= 1000
    error_message = "maximum_receives is a whole number from 10 to 1,000: with fewer, a message that waits out a closed role or a throttled account is given up within minutes."
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
