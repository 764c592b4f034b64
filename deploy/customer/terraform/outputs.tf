output "role_arn" {
  description = "The role that the platform assumes."
  value       = aws_iam_role.distribution.arn
}

output "cloudwatch_row" {
  description = "For the platform: this tenant's row of type cloudwatch, as DynamoDB's PutItem takes it. It holds no secret."
  value = jsonencode(merge(
    {
      tenant_id                 = { S = var.tenant_id }
      type                      = { S = "cloudwatch" }
      enabled                   = { BOOL = true }
      log_distribution_role_arn = { S = aws_iam_role.distribution.arn }
      log_group_name            = { S = var.log_group_name }
      target_region             = { S = data.aws_region.here.id }
      external_id               = { S = var.external_id }
    },
    var.platform_sets_retention_days > 0 ? { log_retention_days = { N = tostring(var.platform_sets_retention_days) } } : {},
    var.require_session_tag ? { session_tags = { BOOL = true } } : {},
  ))

  # A role whose policy is not there yet would open the tenant's breaker at the first delivery.
  depends_on = [aws_iam_role_policy.writing]
}
