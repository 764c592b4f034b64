# What is not checked here is checked by the module it is handed to, which says what is right.

variable "image_tag" {
  description = "Tag of the worker's image in the repository made here."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^\\w[\\w.-]{0,127}$", var.image_tag)) && var.image_tag != "latest"
    error_message = "image_tag is a tag that means one image, as 1.4.0; not latest."
  }
}

variable "europe" {
  description = "The region in Europe: its name on AWS, the beginning of our names there, its bucket, network and clusters."
  type = object({
    region          = string
    name            = string
    bucket_name     = string
    vpc_id          = string
    subnet_ids      = set(string)
    route_table_ids = set(string)
    maximum_tasks   = optional(number, 20)
    clusters = optional(map(object({
      tenants           = set(string)
      namespace         = optional(string, "logging")
      service_account   = optional(string, "vector")
      oidc_provider_arn = optional(string, "")
      eks_cluster_name  = optional(string, "")
    })), {})
  })
  nullable = false
}

variable "america" {
  description = "The region in America: its name on AWS, the beginning of our names there, its bucket, network and clusters."
  type = object({
    region          = string
    name            = string
    bucket_name     = string
    vpc_id          = string
    subnet_ids      = set(string)
    route_table_ids = set(string)
    maximum_tasks   = optional(number, 20)
    clusters = optional(map(object({
      tenants           = set(string)
      namespace         = optional(string, "logging")
      service_account   = optional(string, "vector")
      oidc_provider_arn = optional(string, "")
      eks_cluster_name  = optional(string, "")
    })), {})
  })
  nullable = false

  validation {
    condition     = var.america.name != var.europe.name && var.america.region != var.europe.region
    error_message = "The two regions must be two, and differ in name: the names of their roles are the account's."
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
