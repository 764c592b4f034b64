variable "name" {
  description = "What the names of everything here begin with."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}[a-z0-9]$", var.name))
    error_message = "name is 3 to 32 lower-case letters, digits and hyphens, begins with a letter and does not end with a hyphen."
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
  description = "Subnets of the tasks, one a zone at most: each interface endpoint costs by the hour in each."
  type        = set(string)
  nullable    = false

  validation {
    condition     = length(var.subnet_ids) > 0 && alltrue([for id in var.subnet_ids : can(regex("^subnet-[0-9a-f]+$", id))])
    error_message = "subnet_ids names at least one subnet, as subnet-0123456789abcdef0."
  }
}

variable "route_table_ids" {
  description = "Route tables of those subnets: the gateway endpoints become routes there."
  type        = set(string)
  nullable    = false

  validation {
    condition     = length(var.route_table_ids) > 0 && alltrue([for id in var.route_table_ids : can(regex("^rtb-[0-9a-f]+$", id))])
    error_message = "route_table_ids names at least one route table, as rtb-0123456789abcdef0."
  }
}

variable "client_security_group_ids" {
  description = "Who may use the interface endpoints: a name of your choice to a security group's id (fleet's output security_group_id)."
  type        = map(string)
  nullable    = false

  validation {
    condition     = length(var.client_security_group_ids) > 0
    error_message = "client_security_group_ids names at least one security group, as { workers = \"sg-0123456789abcdef0\" }; endpoints nobody may use cost money."
  }
}

variable "trusted_account_ids" {
  description = "Accounts beside this one whose sessions may pass: that of the central role, if it is another."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for id in var.trusted_account_ids : can(regex("^\\d{12}$", id))])
    error_message = "trusted_account_ids are twelve digits each."
  }
}

variable "customer_role_prefix" {
  description = "What the names of customers' roles begin with (as global's)."
  type        = string
  default     = "CustomerLogDistribution-"
  nullable    = false

  validation {
    condition     = can(regex("^[\\w+=,.@-]{8,60}$", var.customer_role_prefix))
    error_message = "customer_role_prefix is 8 to 60 letters, digits or any of +=,.@-_ ."
  }
}
