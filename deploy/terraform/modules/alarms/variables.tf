variable "name" {
  description = "What the names of everything here begin with."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}[a-z0-9]$", var.name))
    error_message = "name is 3 to 32 lower-case letters, digits and hyphens, begins with a letter and does not end with a hyphen."
  }
}

variable "queue_name" {
  description = "Name of the queue of notices (queue's output queue_name)."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[\\w-]{1,80}$", var.queue_name))
    error_message = "queue_name is an SQS queue's name, not its URL or ARN."
  }
}

variable "dead_letters_name" {
  description = "Name of the dead letters (queue's output dead_letters_name)."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[\\w-]{1,80}$", var.dead_letters_name))
    error_message = "dead_letters_name is an SQS queue's name, not its URL or ARN."
  }
}

variable "table_names" {
  description = "Tables whose throttles are told (tenants' outputs table_name and ledger_table_name)."
  type        = set(string)
  nullable    = false

  validation {
    condition     = alltrue([for name in var.table_names : can(regex("^[A-Za-z0-9_.-]{3,255}$", name))])
    error_message = "table_names are DynamoDB tables' names, not their ARNs."
  }
}

variable "log_group_name" {
  description = "The workers' own log (output log_group_name of fleet or lambda)."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[\\w./#-]{1,512}$", var.log_group_name))
    error_message = "log_group_name is a log group's name, not its ARN."
  }
}

variable "fleets" {
  description = "A name of your choice to an ECS service that delivers, and the tasks it may have."
  type = map(object({
    cluster_name  = string
    service_name  = string
    maximum_tasks = number
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for fleet in values(var.fleets) : floor(fleet.maximum_tasks) == fleet.maximum_tasks && fleet.maximum_tasks >= 1])
    error_message = "maximum_tasks is a whole number from 1 on: the autoscaling module's."
  }
}

variable "functions" {
  description = "A name of your choice to a Lambda function that delivers, and how many of it may run at once."
  type = map(object({
    function_name       = string
    maximum_concurrency = number
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for function in values(var.functions) : floor(function.maximum_concurrency) == function.maximum_concurrency && function.maximum_concurrency >= 2])
    error_message = "maximum_concurrency is a whole number from 2 on: the lambda module's."
  }
}

variable "oldest_message_seconds" {
  description = "Age of the oldest message, held for ten minutes, at which people are told; more than the autoscaling's, which acts first."
  type        = number
  default     = 900
  nullable    = false

  validation {
    condition     = var.oldest_message_seconds >= 60 && var.oldest_message_seconds <= 1209600
    error_message = "oldest_message_seconds is from 60 to 1,209,600: after 14 days SQS drops a message."
  }
}

variable "failed_deliveries_a_minute" {
  description = "Failed attempts a minute, ten minutes long, at which people are told; single failures heal by themselves."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.failed_deliveries_a_minute >= 0
    error_message = "failed_deliveries_a_minute is 0 or more."
  }
}

variable "throttles_a_minute" {
  description = "How often a minute accounts throttle, a quarter of an hour long, before people are told."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.throttles_a_minute >= 0
    error_message = "throttles_a_minute is 0 or more."
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
