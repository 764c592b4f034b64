# Every value is checked by the module it is handed to, which says what is right.

variable "name" {
  description = "What the names of everything here begin with."
  type        = string
  nullable    = false
}

variable "bucket_name" {
  description = "Name of the bucket; unique in all of AWS."
  type        = string
  nullable    = false
}

variable "transitions_days" {
  description = "Storage class to the age in days at which an object moves there; none: they stay where they are."
  type        = map(number)
  default     = { INTELLIGENT_TIERING = 1 }
  nullable    = false
}

variable "expire_days" {
  description = "Age in days at which an object goes: how far back a replay can reach."
  type        = number
  default     = 90
  nullable    = false
}

variable "destroy_with_logs" {
  description = "Whether terraform destroy may delete the bucket while there are logs in it."
  type        = bool
  default     = false
  nullable    = false
}

variable "clusters" {
  description = "Cluster, as it stands in keys, to who its collectors are (an OIDC provider for IRSA, or the cluster's name for EKS Pod Identity) and whose logs they carry."
  type = map(object({
    tenants           = set(string)
    namespace         = optional(string, "logging")
    service_account   = optional(string, "vector")
    oidc_provider_arn = optional(string, "")
    eks_cluster_name  = optional(string, "")
  }))
  default  = {}
  nullable = false
}

variable "brokers" {
  description = "A name of your choice to the roles that hand out tagged sessions, for fleets where a broker knows which collector may write as which tenant."
  type        = map(object({ role_arns = set(string) }))
  default     = {}
  nullable    = false
}

variable "maximum_receives" {
  description = "How often a message is received before SQS moves it to the dead letters."
  type        = number
  default     = 20
  nullable    = false
}

variable "central_role_arn" {
  description = "ARN of the central role (global's output role_arn); it need not exist yet."
  type        = string
  nullable    = false
}

variable "image" {
  description = "The worker's image with its tag or digest: registry's output repository_url, a colon and what was pushed."
  type        = string
  nullable    = false
}

variable "repository_arn" {
  description = "ARN of the repository the image is in (registry's output repository_arn)."
  type        = string
  nullable    = false
}

variable "key_layout" {
  description = "LOGFANOUT_KEY_LAYOUT: how a key is read."
  type        = string
  default     = "{tenant}/{cluster}/{application}/{pod}/"
  nullable    = false
}

variable "settings" {
  description = "Further variables of the worker, as { LOG_LEVEL = \"DEBUG\" }; docs/operating.md lists them. Not for secrets."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "cpu_architecture" {
  description = "ARM64 (cheaper by a fifth) or X86_64; the image must have it."
  type        = string
  default     = "ARM64"
  nullable    = false
}

variable "cpu_units" {
  description = "CPU of a task, 1,024 to the vCPU."
  type        = number
  default     = 1024
  nullable    = false
}

variable "memory_mib" {
  description = "Memory of a task in MiB; a quarter of it bounds what is in hand at once."
  type        = number
  default     = 2048
  nullable    = false
}

variable "on_demand_base_tasks" {
  description = "Tasks that always run on capacity nobody takes away, before spot has its share."
  type        = number
  default     = 1
  nullable    = false
}

variable "spot_percent" {
  description = "Percent of the further tasks on Fargate Spot. A task taken away gives its messages back; nothing is lost."
  type        = number
  default     = 70
  nullable    = false
}

variable "stop_timeout_seconds" {
  description = "SIGTERM to SIGKILL."
  type        = number
  default     = 30
  nullable    = false
}

variable "log_retention_days" {
  description = "How long the workers' own log is kept."
  type        = number
  default     = 30
  nullable    = false
}

variable "maximum_tasks" {
  description = "Tasks at most: what you are ready to pay for, and what the tenants' accounts can take."
  type        = number
  default     = 20
  nullable    = false
}

variable "vpc_id" {
  description = "The network the tasks run in."
  type        = string
  nullable    = false
}

variable "subnet_ids" {
  description = "Private subnets, in two zones or more."
  type        = set(string)
  nullable    = false
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
}

variable "scraper_security_group_ids" {
  description = "A name of your choice to a security group that may read the metrics, as Prometheus'."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "oldest_message_seconds" {
  description = "Age of the oldest message, held for ten minutes, at which people are told; more than the autoscaling's, which acts first."
  type        = number
  default     = 900
  nullable    = false
}

variable "deletion_protection" {
  description = "Whether DynamoDB refuses to delete the table of tenants; false where terraform destroy must work at once."
  type        = bool
  default     = true
  nullable    = false
}

variable "key_deletion_days" {
  description = "Days between asking KMS to delete the key and its end."
  type        = number
  default     = 30
  nullable    = false
}

variable "drain_seconds" {
  description = "LOGFANOUT_DRAIN_SECONDS: from SIGTERM to the worker's end; less than stop_timeout_seconds and than visibility_seconds."
  type        = number
  default     = 25
  nullable    = false
}

variable "visibility_seconds" {
  description = "How long a received message stays hidden; workers extend it while they work."
  type        = number
  default     = 120
  nullable    = false
}

variable "tenants_table_name" {
  description = "Name of the table of tenants; two regions of one account may have one each, under the same name."
  type        = string
  default     = "tenant-configurations"
  nullable    = false
}
