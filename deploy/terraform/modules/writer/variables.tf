variable "name" {
  description = "What the names of everything here begin with."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}[a-z0-9]$", var.name))
    error_message = "name is 3 to 32 lower-case letters, digits and hyphens, begins with a letter and does not end with a hyphen."
  }
}

variable "bucket_arn" {
  description = "ARN of the bucket of logs (staging's output bucket_arn)."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:s3:::[a-z0-9.-]+$", var.bucket_arn))
    error_message = "bucket_arn is an S3 bucket's ARN, as arn:aws:s3:::my-logs."
  }
}

variable "bucket_key_arn" {
  description = "ARN of the key of the bucket (staging's output key_arn)."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:\\d{12}:key/[\\w-]+$", var.bucket_key_arn))
    error_message = "bucket_key_arn is a KMS key's ARN, as arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab; not an alias."
  }
}

variable "key_prefix" {
  description = "The beginning of LOGFANOUT_KEY_LAYOUT: where tenant and cluster stand in a key."
  type        = string
  default     = "{tenant}/{cluster}/"
  nullable    = false

  validation {
    condition     = contains(["{tenant}/{cluster}/", "{cluster}/{tenant}/"], var.key_prefix)
    error_message = "key_prefix is {tenant}/{cluster}/ or {cluster}/{tenant}/, with the slash at its end."
  }
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

  validation {
    condition     = alltrue([for cluster in keys(var.clusters) : can(regex("^[A-Za-z0-9_.-]{1,20}$", cluster))])
    error_message = "A cluster is named by 1 to 20 letters, digits, dots, hyphens and underscores: no slash, no wildcard, short enough for a role's name."
  }

  validation {
    condition = alltrue([
      for given in values(var.clusters) : alltrue([for tenant in given.tenants : can(regex("^[A-Za-z0-9_.-]{1,64}$", tenant))])
    ])
    error_message = "A tenant is named by 1 to 64 letters, digits, dots, hyphens and underscores: no slash, no wildcard."
  }

  validation {
    condition     = alltrue([for given in values(var.clusters) : length(given.tenants) >= 1 && length(given.tenants) <= 300])
    error_message = "A cluster serves 1 to 300 tenants: ten policies hold no more. With more than that use a broker, or split the cluster."
  }

  validation {
    condition = alltrue([
      for given in values(var.clusters) : (given.oidc_provider_arn != "") != (given.eks_cluster_name != "")
    ])
    error_message = "A cluster has either oidc_provider_arn (IRSA) or eks_cluster_name (EKS Pod Identity), and not both."
  }

  validation {
    condition = alltrue([
      for given in values(var.clusters) :
      given.oidc_provider_arn == "" || can(regex("^arn:[a-z-]+:iam::\\d{12}:oidc-provider/[\\w.:/-]+$", given.oidc_provider_arn))
    ])
    error_message = "oidc_provider_arn is an IAM OIDC provider's ARN, as arn:aws:iam::123456789012:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/ABC."
  }

  validation {
    condition = alltrue([
      for given in values(var.clusters) :
      can(regex("^[a-z0-9-]{1,63}$", given.namespace)) && can(regex("^[a-z0-9.-]{1,253}$", given.service_account))
    ])
    error_message = "namespace and service_account are Kubernetes names; no wildcards."
  }
}

variable "brokers" {
  description = "A name of your choice to the roles that hand out tagged sessions, for fleets where a broker knows which collector may write as which tenant."
  type        = map(object({ role_arns = set(string) }))
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.brokers) : can(regex("^[A-Za-z0-9_.-]{1,20}$", name))])
    error_message = "A broker is named by 1 to 20 letters, digits, dots, hyphens and underscores."
  }

  validation {
    condition     = length(setintersection(keys(var.brokers), keys(var.clusters))) == 0
    error_message = "A broker must not be named like a cluster: their roles would have one name."
  }

  validation {
    condition = alltrue(flatten([
      for given in values(var.brokers) : [
        length(given.role_arns) > 0,
        [for arn in given.role_arns : can(regex("^arn:[a-z-]+:iam::\\d{12}:role/[\\w+=,.@/-]+$", arn))],
      ]
    ]))
    error_message = "role_arns names at least one role in full, as arn:aws:iam::123456789012:role/log-broker; no wildcards."
  }
}
