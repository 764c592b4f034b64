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

variable "cpu_architecture" {
  description = "ARM64 (cheaper by a fifth) or X86_64; the image must have it."
  type        = string
  default     = "ARM64"
  nullable    = false
}

variable "timeout_seconds" {
  description = "How long one batch may take; the queue's visibility must be six times that."
  type        = number
  default     = 150
  nullable    = false
}

variable "maximum_concurrency" {
  description = "Functions at once, at most."
  type        = number
  default     = 20
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
