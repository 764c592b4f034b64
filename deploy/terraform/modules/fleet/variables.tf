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
  description = "The worker's image with its tag or digest: registry's output repository_url, a colon and what was pushed."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9.:_/-]+(:[\\w][\\w.-]{0,127}|@sha256:[0-9a-f]{64})$", var.image)) && !endswith(var.image, ":latest")
    error_message = "image ends with a tag other than latest, or a digest, as 123456789012.dkr.ecr.eu-central-1.amazonaws.com/logfanout:1.4.0."
  }
}

variable "repository_arn" {
  description = "ARN of the repository the image is in (registry's output repository_arn)."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:ecr:[a-z0-9-]+:\\d{12}:repository/[a-z0-9._/-]+$", var.repository_arn))
    error_message = "repository_arn is an ECR repository's ARN, as arn:aws:ecr:eu-central-1:123456789012:repository/logfanout."
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

variable "cpu_units" {
  description = "CPU of a task, 1,024 to the vCPU."
  type        = number
  default     = 1024
  nullable    = false

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096, 8192, 16384], var.cpu_units)
    error_message = "cpu_units is 256, 512, 1024, 2048, 4096, 8192 or 16384, as Fargate sells it."
  }
}

variable "memory_mib" {
  description = "Memory of a task in MiB; a quarter of it bounds what is in hand at once."
  type        = number
  default     = 2048
  nullable    = false

  validation {
    condition     = var.memory_mib >= 512 && var.memory_mib <= 122880 && (var.memory_mib == 512 || var.memory_mib % 1024 == 0)
    error_message = "memory_mib is 512 or whole GiB (1024, 2048, …, 122880), as Fargate sells it."
  }

  validation {
    condition     = var.memory_mib >= var.cpu_units * 2 && var.memory_mib <= var.cpu_units * 8
    error_message = "memory_mib is 2 to 8 times cpu_units: Fargate sells 2 to 8 GiB with each vCPU (\"Task CPU and memory\")."
  }
}

variable "initial_tasks" {
  description = "Tasks at the first apply; from then on the scaling decides."
  type        = number
  default     = 2
  nullable    = false

  validation {
    condition     = floor(var.initial_tasks) == var.initial_tasks && var.initial_tasks >= 0 && var.initial_tasks <= 5000
    error_message = "initial_tasks is a whole number from 0 to 5,000, the tasks a service may have."
  }
}

variable "on_demand_base_tasks" {
  description = "Tasks that always run on capacity nobody takes away, before spot has its share."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = floor(var.on_demand_base_tasks) == var.on_demand_base_tasks && var.on_demand_base_tasks >= 0 && var.on_demand_base_tasks <= 5000
    error_message = "on_demand_base_tasks is a whole number from 0 to 5,000."
  }
}

variable "spot_percent" {
  description = "Percent of the further tasks on Fargate Spot. A task taken away gives its messages back; nothing is lost."
  type        = number
  default     = 70
  nullable    = false

  validation {
    condition     = floor(var.spot_percent) == var.spot_percent && var.spot_percent >= 0 && var.spot_percent <= 100
    error_message = "spot_percent is a whole number from 0 to 100."
  }
}

variable "drain_seconds" {
  description = "LOGFANOUT_DRAIN_SECONDS: from SIGTERM to the worker's end."
  type        = number
  default     = 25
  nullable    = false

  validation {
    condition     = var.drain_seconds >= 1 && var.drain_seconds < var.stop_timeout_seconds - 2
    error_message = "drain_seconds must be at least 1 and end 2 s or more before stop_timeout_seconds: else ECS kills a worker that is giving its messages back."
  }

  validation {
    condition     = var.drain_seconds < var.worker.visibility_seconds
    error_message = "drain_seconds must be less than the queue's visibility: else a message is shown again while its worker still drains."
  }
}

variable "stop_timeout_seconds" {
  description = "SIGTERM to SIGKILL."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = floor(var.stop_timeout_seconds) == var.stop_timeout_seconds && var.stop_timeout_seconds >= 10 && var.stop_timeout_seconds <= 120
    error_message = "stop_timeout_seconds is a whole number from 10 to 120; Fargate allows no more."
  }
}

variable "log_retention_days" {
  description = "How long the workers' own log is kept."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is one of CloudWatch's values: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "vpc_id" {
  description = "The network the tasks run in."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^vpc-[0-9a-f]+$", var.vpc_id))
    error_message = "vpc_id is a VPC's id, as vpc-0123456789abcdef0."
  }
}

variable "subnet_ids" {
  description = "Private subnets, in two zones or more."
  type        = set(string)
  nullable    = false

  validation {
    condition     = length(var.subnet_ids) > 0 && alltrue([for id in var.subnet_ids : can(regex("^subnet-[0-9a-f]+$", id))])
    error_message = "subnet_ids names at least one subnet, as subnet-0123456789abcdef0; two in different zones survive the loss of one."
  }
}

variable "endpoint_security_group_ids" {
  description = "A name of your choice to the security group of interface endpoints (endpoints' output security_group_id)."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "gateway_prefix_list_ids" {
  description = "Service to the prefix list of its gateway endpoint (endpoints' output prefix_list_ids)."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "egress_cidr_blocks" {
  description = "IPv4 blocks that may be reached over HTTPS beside the endpoints; 0.0.0.0/0 where tenants want logs in other regions."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for block in var.egress_cidr_blocks : can(cidrhost(block, 0))])
    error_message = "egress_cidr_blocks are IPv4 blocks, as 10.0.0.0/16."
  }
}

variable "scraper_security_group_ids" {
  description = "A name of your choice to a security group that may read the metrics, as Prometheus'."
  type        = map(string)
  default     = {}
  nullable    = false
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
