output "arn" {
  description = "The bucket's ARN."
  value       = aws_s3_bucket.copies.arn
}

output "s3_row" {
  description = "For the platform: this tenant's row of type s3, as DynamoDB's PutItem takes it."
  value = jsonencode({
    tenant_id     = { S = var.tenant_id }
    type          = { S = "s3" }
    enabled       = { BOOL = true }
    bucket_name   = { S = aws_s3_bucket.copies.bucket }
    bucket_prefix = { S = var.prefix }
    target_region = { S = data.aws_region.here.id }
  })

  depends_on = [aws_s3_bucket_policy.copies]
}
