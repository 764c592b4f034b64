output "bucket_name" {
  description = "Name of the bucket, known once objects in it are announced."
  value       = aws_s3_bucket.logs.bucket
  depends_on  = [aws_s3_bucket_notification.created]
}

output "bucket_arn" {
  description = "ARN of the bucket."
  value       = local.bucket_arn
}

output "key_arn" {
  description = "ARN of the key of the bucket and the topic."
  value       = aws_kms_key.logs.arn
}

output "topic_arn" {
  description = "ARN of the topic that announces every new object; subscribe a queue to it."
  value       = aws_sns_topic.notices.arn
}
