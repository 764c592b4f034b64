mock_provider "aws" {
  source = "../../mocks"
}

variables {
  name           = "logs"
  image          = "999999999999.dkr.ecr.eu-central-1.amazonaws.com/logfanout:1.0.0"
  repository_arn = "arn:aws:ecr:eu-central-1:999999999999:repository/logfanout"
  policy_arn     = "arn:aws:iam::999999999999:policy/logs-worker"
  vpc_id         = "vpc-0123456789abcdef0"
  subnet_ids     = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]

  worker = {
    queue_url          = "https://sqs.eu-central-1.amazonaws.com/999999999999/logs-notices"
    dead_letters_url   = "https://sqs.eu-central-1.amazonaws.com/999999999999/logs-dead-letters"
    tenants_table_name = "tenant-configurations"
    ledger_table_name  = "logs-ledger"
    central_role_arn   = "arn:aws:iam::999999999999:role/CentralLogDistribution"
    quarantine_uri     = "s3://logs-999999999999/logfanout-quarantine/"
    visibility_seconds = 120
  }
}

run "the_container_is_closed_and_stops_in_time" {
  command = apply

  assert {
    condition     = local.container.readonlyRootFilesystem && local.container.user == "65532:65532" && local.container.linuxParameters.capabilities.drop == ["ALL"]
    error_message = "The container must run as nobody, on a root filesystem it cannot write, without capabilities."
  }

  assert {
    condition     = tonumber(local.environment["LOGFANOUT_DRAIN_SECONDS"]) < local.container.stopTimeout && local.container.stopTimeout <= 120
    error_message = "The worker must be done draining before ECS kills it."
  }

  assert {
    condition     = tonumber(local.environment["LOGFANOUT_VISIBILITY_SECONDS"]) > tonumber(local.environment["LOGFANOUT_DRAIN_SECONDS"])
    error_message = "A message must stay hidden for longer than a drain."
  }

  assert {
    condition     = strcontains(join(" ", local.container.healthCheck.command), ":9090/healthz") && local.environment["LOGFANOUT_HTTP_PORT"] == "9090"
    error_message = "ECS must ask where the worker answers."
  }

  assert {
    condition     = local.environment["EXECUTION_MODE"] == "sqs" && local.environment["LOGFANOUT_LOG_FORMAT"] == "json"
    error_message = "The task must run the worker, and log what the alarms' filters read."
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.worker.container_definitions)[0].image == var.image
    error_message = "The task definition must have the container that is tested here."
  }
}

run "the_service_replaces_and_puts_back" {
  command = apply

  assert {
    condition     = aws_ecs_service.workers.deployment_circuit_breaker[0].enable && aws_ecs_service.workers.deployment_circuit_breaker[0].rollback
    error_message = "What does not start must be put back."
  }

  assert {
    condition     = aws_ecs_service.workers.deployment_minimum_healthy_percent == 100
    error_message = "A deployment must not make the fleet smaller."
  }

  assert {
    condition = { for share in aws_ecs_service.workers.capacity_provider_strategy : share.capacity_provider => [share.base, share.weight] } == {
      FARGATE      = [1, 30]
      FARGATE_SPOT = [0, 70]
    } || { for share in aws_ecs_service.workers.capacity_provider_strategy : share.capacity_provider => share.weight } == { FARGATE = 30, FARGATE_SPOT = 70 }
    error_message = "One task on demand, then 30 to 70."
  }

  assert {
    condition     = !aws_ecs_service.workers.network_configuration[0].assign_public_ip && !aws_ecs_service.workers.enable_execute_command
    error_message = "Tasks must have no public address and no shell."
  }

  assert {
    condition     = one(aws_ecs_cluster.workers.setting).value == "enabled"
    error_message = "Without Container Insights nobody counts the running tasks."
  }

  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.scrapes) == 0 && length(aws_vpc_security_group_egress_rule.beyond) == 0
    error_message = "Nothing may come in, and nothing go beyond the endpoints, unless it is asked for."
  }

  assert {
    condition     = aws_cloudwatch_log_group.workers.kms_key_id == aws_kms_key.log.arn && aws_cloudwatch_log_group.workers.retention_in_days == 30
    error_message = "The log must be encrypted with the module's key, and end."
  }
}

run "intel_and_spot_alone_are_possible" {
  command = apply

  variables {
    cpu_architecture     = "X86_64"
    spot_percent         = 100
    on_demand_base_tasks = 0
    egress_cidr_blocks   = ["0.0.0.0/0"]
  }

  assert {
    condition     = aws_ecs_task_definition.worker.runtime_platform[0].cpu_architecture == "X86_64"
    error_message = "The architecture must be the one asked for."
  }

  assert {
    condition     = [for rule in aws_vpc_security_group_egress_rule.beyond : [rule.from_port, rule.to_port]] == [[443, 443]]
    error_message = "Beyond the endpoints there must be HTTPS and nothing else."
  }
}

run "wrong_values_are_refused" {
  command = plan

  variables {
    name                 = "l"
    image                = "logfanout:latest"
    repository_arn       = "*"
    policy_arn           = "*"
    key_layout           = "{tenant}/"
    settings             = { SQS_QUEUE_URL = "x" }
    cpu_architecture     = "arm64"
    cpu_units            = 1000
    memory_mib           = 1500
    initial_tasks        = -1
    on_demand_base_tasks = 0.5
    spot_percent         = 101
    drain_seconds        = 29
    stop_timeout_seconds = 121
    log_retention_days   = 31
    vpc_id               = "default"
    subnet_ids           = []
    egress_cidr_blocks   = ["everywhere"]
    key_deletion_days    = 1
    worker = {
      queue_url          = "logs-notices"
      dead_letters_url   = "https://sqs.eu-central-1.amazonaws.com/999999999999/logs-dead-letters"
      tenants_table_name = "tenant-configurations"
      ledger_table_name  = "logs-ledger"
      central_role_arn   = "*"
      quarantine_uri     = "s3://logs-999999999999"
      visibility_seconds = 20
    }
  }

  expect_failures = [
    var.name, var.image, var.repository_arn, var.policy_arn, var.key_layout, var.settings, var.cpu_architecture,
    var.cpu_units, var.initial_tasks, var.on_demand_base_tasks, var.spot_percent,
    var.stop_timeout_seconds, var.log_retention_days, var.vpc_id, var.subnet_ids, var.egress_cidr_blocks,
    var.key_deletion_days, var.worker,
  ]
}

run "values_that_do_not_fit_each_other_are_refused" {
  command = plan

  variables {
    cpu_units            = 1024
    memory_mib           = 16384
    drain_seconds        = 30
    stop_timeout_seconds = 30
  }

  expect_failures = [var.memory_mib, var.drain_seconds]
}
