# What is not checked here is checked by the module it is handed to, which says what is right.

variable "region" {
  description = "The region, as eu-central-1."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-\\d$", var.region))
    error_message = "region is an AWS region's name, as eu-central-1, us-gov-west-1 or cn-north-1."
  }
}

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

variable "image_tag" {
  description = "Tag of the worker's image in the repository made here."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^\\w[\\w.-]{0,127}$", var.image_tag)) && var.image_tag != "latest"
    error_message = "image_tag is a tag that means one image, as 1.4.0; not latest."
  }
}

variable "cpu_architecture" {
  description = "ARM64 (cheaper by a fifth) or X86_64; the image must have it."
  type        = string
  default     = "ARM64"
  nullable    = false
}

variable "spot_percent" {
  description = "Percent of the further tasks on Fargate Spot. A task taken away gives its messages back; nothing is lost."
  type        = number
  default     = 70
  nullable    = false
}

variable "maximum_tasks" {
  description = "Tasks at most: what you are ready to pay for, and what the tenants' accounts can take."
  type        = number
  default     = 20
  nullable    = false
}

variable "backlog_per_task" {
  description = "Messages one task may have before it, those in its hands among them: the delay you accept in seconds, times the messages a task delivers a second."
  type        = number
  default     = 300
  nullable    = false
}

variable "settings" {
  description = "Further variables of the worker, as { LOG_LEVEL = \"DEBUG\" }; docs/operating.md lists them. Not for secrets."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "vpc_id" {
  description = "The network the tasks run in."
  type        = string
  nullable    = false
}

variable "subnet_ids" {
  description = "Subnets of the tasks, one a zone at most: each interface endpoint costs by the hour in each."
  type        = set(string)
  nullable    = false
}

variable "route_table_ids" {
  description = "Route tables of those subnets: the gateway endpoints become routes there."
  type        = set(string)
  nullable    = false
}

variable "egress_cidr_blocks" {
  description = "IPv4 blocks that may be reached over HTTPS beside the endpoints; 0.0.0.0/0 where tenants want logs in other regions."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "deletion_protection" {
  description = "Whether DynamoDB refuses to delete the table of tenants; false where terraform destroy must work at once."
  type        = bool
  default     = true
  nullable    = false
}

variable "destroy_with_logs" {
  description = "Whether terraform destroy may delete the bucket while there are logs in it."
  type        = bool
  default     = false
  nullable    = false
}

variable "emulated" {
  description = "True where AWS is an emulator that has no Application Auto Scaling: everything but the scaling is made."
  type        = bool
  default     = false
  nullable    = false
}
