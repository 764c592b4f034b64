variable "name" {
  description = "What the names of everything here begin with."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}[a-z0-9]$", var.name))
    error_message = "name is 3 to 32 lower-case letters, digits and hyphens, begins with a letter and does not end with a hyphen."
  }
}

variable "table_name" {
  description = "Name of the table of tenants: TENANT_CONFIG_TABLE of the workers."
  type        = string
  default     = "tenant-configurations"
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{3,255}$", var.table_name))
    error_message = "table_name is 3 to 255 letters, digits, dots, hyphens and underscores, as DynamoDB takes it."
  }
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

  validation {
    condition     = floor(var.key_deletion_days) == var.key_deletion_days && var.key_deletion_days >= 7 && var.key_deletion_days <= 30
    error_message = "key_deletion_days is a whole number of days from 7 to 30, as KMS allows."
  }
}
