variable "name" {
  description = "What the names of everything here begin with."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}[a-z0-9]$", var.name))
    error_message = "name is 3 to 32 lower-case letters, digits and hyphens, begins with a letter and does not end with a hyphen."
  }
}

variable "cluster_name" {
  description = "Name of the ECS cluster (fleet's output cluster_name)."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[\\w-]{1,255}$", var.cluster_name))
    error_message = "cluster_name is an ECS cluster's name, not its ARN."
  }
}

variable "service_name" {
  description = "Name of the ECS service (fleet's output service_name)."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[\\w-]{1,255}$", var.service_name))
    error_message = "service_name is an ECS service's name, not its ARN."
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

variable "minimum_tasks" {
  description = "Tasks that run when nothing is to be done; 2 survive the loss of a zone."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = floor(var.minimum_tasks) == var.minimum_tasks && var.minimum_tasks >= 1 && var.minimum_tasks <= var.maximum_tasks
    error_message = "minimum_tasks is a whole number from 1 to maximum_tasks; a fleet that may have nothing to do belongs on Lambda."
  }
}

variable "maximum_tasks" {
  description = "Tasks at most: what you are ready to pay for, and what the tenants' accounts can take."
  type        = number
  default     = 20
  nullable    = false

  validation {
    condition     = floor(var.maximum_tasks) == var.maximum_tasks && var.maximum_tasks >= 1 && var.maximum_tasks <= 5000
    error_message = "maximum_tasks is a whole number from 1 to 5,000, the tasks a service may have."
  }
}

variable "backlog_per_task" {
  description = "Messages one task may have before it, those in its hands among them: the delay you accept in seconds, times the messages a task delivers a second."
  type        = number
  default     = 300
  nullable    = false

  validation {
    condition     = var.backlog_per_task >= 1 && var.backlog_per_task <= 100000
    error_message = "backlog_per_task is from 1 to 100,000 messages."
  }
}

variable "oldest_message_seconds" {
  description = "Age of the oldest message at which the fleet grows whatever the backlog is."
  type        = number
  default     = 300
  nullable    = false

  validation {
    condition     = var.oldest_message_seconds >= 60 && var.oldest_message_seconds <= 86400
    error_message = "oldest_message_seconds is from 60 to 86,400: SQS reports it once a minute."
  }
}

variable "scale_out_seconds" {
  description = "Pause after growing; a task needs about that long to start and to show in the metrics."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.scale_out_seconds >= 30 && var.scale_out_seconds <= 3600
    error_message = "scale_out_seconds is from 30 to 3,600."
  }
}

variable "scale_in_seconds" {
  description = "Pause after shrinking: slow, since a wave that comes back finds cold tasks."
  type        = number
  default     = 900
  nullable    = false

  validation {
    condition     = var.scale_in_seconds >= 300 && var.scale_in_seconds <= 86400
    error_message = "scale_in_seconds is from 300 to 86,400."
  }

  validation {
    condition     = var.scale_in_seconds >= 2 * var.scale_out_seconds
    error_message = "scale_in_seconds must be at least twice scale_out_seconds: a fleet that shrinks as fast as it grows swings."
  }
}
