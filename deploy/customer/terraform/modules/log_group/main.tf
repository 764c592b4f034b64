# Where a tenant's logs go, if the customer makes the group: the platform then needs no right to.

resource "aws_cloudwatch_log_group" "tenant" {
  #checkov:skip=CKV_AWS_158:CloudWatch encrypts every group; whether with a key of one's own is the customer's to say (kms_key_arn).
  #checkov:skip=CKV_AWS_338:How long to keep, and pay for, is the customer's to say; a year is not everybody's answer.
  name              = var.name
  retention_in_days = var.retention_days
  kms_key_id        = var.kms_key_arn == "" ? null : var.kms_key_arn
  # To destroy ends the delivery; it does not delete what has been delivered.
  skip_destroy = true
  tags         = var.tags
}
