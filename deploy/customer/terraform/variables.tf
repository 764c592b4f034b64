# ── From the platform ──────────────────────────────────────────────────────────────────────────────────────────────────

variable "tenant_id" {
  description = "The name under which the platform knows these logs. The platform tells it."
  type        = string
  nullable    = false

  # Nothing that JSON or a policy would read as anything but itself: no quotes, no "*", no "?", no "$".
  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9_.:=+@-]{0,254}$", var.tenant_id))
    error_message = "tenant_id must be 1 to 255 letters, digits or _ . : = + @ - and begin with a letter or a digit: take it from the platform as it is."
  }
}

variable "central_role_arn" {
  description = "The platform's central log distribution role, the only one that is trusted. The platform tells it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]{1,576}$", var.central_role_arn))
    error_message = "central_role_arn must be the ARN of a role, such as arn:aws:iam::123456789012:role/central-log-distribution: no account's root, no user, no wildcard."
  }
}

variable "external_id" {
  description = "What the platform must say each time it assumes the role. The platform chooses one for each tenant; it is no secret."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_+=,.@:/-]*$", var.external_id)) && length(var.external_id) >= 2 && length(var.external_id) <= 1224
    error_message = "external_id must be 2 to 1,224 letters, digits or _ + = , . @ : / -: take it from the platform as it is."
  }
}

variable "require_session_tag" {
  description = "Whether the platform must also tag each session with the tenant's name. Ask for it if the platform offers it."
  type        = bool
  nullable    = false
  default     = false
}

# ── In this account ────────────────────────────────────────────────────────────────────────────────────────────────────

variable "role_suffix" {
  description = "The role is named CustomerLogDistribution-<suffix>. Another one for each tenant in this account."
  type        = string
  nullable    = false
  default     = "logs"

  validation {
    condition     = can(regex("^[A-Za-z0-9_+=,.@-]{1,40}$", var.role_suffix))
    error_message = "role_suffix must be 1 to 40 letters, digits or _ + = , . @ -: IAM allows a role's name 64 characters, 24 are taken."
  }
}

variable "log_group_name" {
  description = "The one log group the platform may write to, in the provider's region: one of modules/log_group, one that exists, or one the platform makes."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_./#-]{1,512}$", var.log_group_name)) && !startswith(var.log_group_name, "aws/")
    error_message = "log_group_name must be 1 to 512 letters, digits or _ . / # - and must not begin with aws/, which is AWS's own."
  }
}

variable "platform_makes_group" {
  description = "Whether the platform may make the group at the first delivery, and again if it is deleted."
  type        = bool
  nullable    = false
  default     = false
}

variable "platform_sets_retention_days" {
  description = "Days that a group the platform makes keeps its events; 0: for ever, and the platform may not set a retention."
  type        = number
  nullable    = false
  default     = 0

  validation {
    condition     = contains([0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.platform_sets_retention_days)
    error_message = "platform_sets_retention_days must be 0 (for ever) or a number of days that CloudWatch Logs knows: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }

  validation {
    condition     = var.platform_sets_retention_days == 0 || var.platform_makes_group
    error_message = "platform_sets_retention_days is for a group the platform makes: with it, platform_makes_group must be true. Set the retention of your own group yourself (modules/log_group)."
  }
}

variable "tags" {
  description = "Tags of the role, besides logfanout:tenant."
  type        = map(string)
  nullable    = false
  default     = {}

  validation {
    condition     = length(var.tags) <= 49 && !anytrue([for key in keys(var.tags) : startswith(lower(key), "aws:") || lower(key) == "logfanout:tenant"])
    error_message = "tags must be at most 49, none of them named aws:… or logfanout:tenant."
  }
}
