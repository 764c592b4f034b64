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

variable "consumer_role_arns" {
  description = "Roles of your own consumers, in full; the central role trusts these alone. They must exist."
  type        = set(string)
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
