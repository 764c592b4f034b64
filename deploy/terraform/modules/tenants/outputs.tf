output "table_name" {
  description = "Name of the table of tenants: TENANT_CONFIG_TABLE of the workers."
  value       = aws_dynamodb_table.directory.name
}

output "table_arn" {
  description = "ARN of the table of tenants."
  value       = aws_dynamodb_table.directory.arn
}

output "ledger_table_name" {
  description = "Name of the ledger: LOGFANOUT_LEDGER_TABLE of the workers."
  value       = aws_dynamodb_table.ledger.name
}

output "ledger_table_arn" {
  description = "ARN of the ledger."
  value       = aws_dynamodb_table.ledger.arn
}

output "key_arn" {
  description = "ARN of the key of both tables."
  value       = aws_kms_key.tables.arn
}
