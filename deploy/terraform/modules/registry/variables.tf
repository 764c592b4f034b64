variable "repository_name" {
  description = "Name of the repository."
  type        = string
  default     = "logfanout"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]+([._/-][a-z0-9]+)*$", var.repository_name)) && length(var.repository_name) >= 2 && length(var.repository_name) <= 256
    error_message = "repository_name is 2 to 256 lower-case letters and digits, with single separators . _ - / between them."
  }
}

variable "kept_images" {
  description = "How many images are kept; older ones go, so more than are ever rolled back over."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = floor(var.kept_images) == var.kept_images && var.kept_images >= 5 && var.kept_images <= 1000
    error_message = "kept_images is a whole number from 5 to 1,000: an image with several platforms counts as several."
  }
}

variable "destroy_with_images" {
  description = "Whether terraform destroy may delete the repository while there are images in it."
  type        = bool
  default     = false
  nullable    = false
}
