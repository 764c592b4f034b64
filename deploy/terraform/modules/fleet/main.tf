# Where do the workers run? As tasks of one ECS service on Fargate, part of them on spot capacity.
#
# How many there are is the autoscaling module's to say once they run; what they may do is the access module's.

data "aws_partition" "current" {}

data "aws_caller_identity" "current" {}

data "aws_region" "current" {}

locals {
  partition  = data.aws_partition.current.partition
  account_id = data.aws_caller_identity.current.account_id
  region     = data.aws_region.current.id

  log_group_name = "/logfanout/${var.name}"
  log_group_arn  = "arn:${local.partition}:logs:${local.region}:${local.account_id}:log-group:${local.log_group_name}"
  tasks_arn      = "arn:${local.partition}:ecs:${local.region}:${local.account_id}:task/${var.name}/*"

  # Only ECS, and only for tasks of this account and region: another account's tasks cannot borrow these roles.
  trust = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Tasks"
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account_id }
        ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:ecs:${local.region}:${local.account_id}:*" }
      }
    }]
  })
}

# -------------------------------------------------------------------------------------------------------- the worker's role

resource "aws_iam_role" "worker" {
  name               = "${var.name}-worker"
  description        = "What the delivering container is"
  assume_role_policy = local.trust
}

resource "aws_iam_role_policy_attachment" "worker" {
  role       = aws_iam_role.worker.name
  policy_arn = var.policy_arn
}

resource "aws_iam_role_policy" "protection" {
  name = "protection"
  role = aws_iam_role.worker.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "KeepFromScaleIn"
      Effect   = "Allow"
      Action   = ["ecs:GetTaskProtection", "ecs:UpdateTaskProtection"]
      Resource = local.tasks_arn
    }]
  })
}

# ------------------------------------------------------------------------------------- the role that starts the container

resource "aws_iam_role" "starter" {
  name               = "${var.name}-starter"
  description        = "What ECS is while it pulls the image and opens the log; the container never sees it"
  assume_role_policy = local.trust
}

resource "aws_iam_role_policy" "starter" {
  name = "start"
  role = aws_iam_role.starter.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # ECR's sign-in knows no resources ("Actions defined by Amazon Elastic Container Registry").
        Sid      = "SignInToRegistries"
        Effect   = "Allow"
        Action   = "ecr:GetAuthorizationToken"
        Resource = "*"
      },
      {
        Sid      = "PullTheImage"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = var.repository_arn
      },
      {
        Sid      = "WriteTheLog"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${local.log_group_arn}:*"
      },
    ]
  })
}

# ------------------------------------------------------------------------------------------------------------- the log

resource "aws_kms_key" "log" {
  description             = "${var.name}: the workers' own log"
  enable_key_rotation     = true
  deletion_window_in_days = var.key_deletion_days

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # Without it the key could be managed by nobody; who in the account may use it is IAM's to say.
        Sid       = "AccountDecides"
        Effect    = "Allow"
        Principal = { AWS = "arn:${local.partition}:iam::${local.account_id}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Sid       = "CloudWatchSealsTheLog"
        Effect    = "Allow"
        Principal = { Service = "logs.${local.region}.${data.aws_partition.current.dns_suffix}" }
        Action    = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:DescribeKey"]
        Resource  = "*"
        Condition = { ArnEquals = { "kms:EncryptionContext:aws:logs:arn" = local.log_group_arn } }
      },
    ]
  })
}

resource "aws_kms_alias" "log" {
  name          = "alias/${var.name}-log"
  target_key_id = aws_kms_key.log.key_id
}

resource "aws_cloudwatch_log_group" "workers" {
  name              = local.log_group_name
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.log.arn
}

# --------------------------------------------------------------------------------------------------------- the network

resource "aws_security_group" "workers" {
  name        = "${var.name}-workers"
  description = "Workers: HTTPS out, nothing in but scrapes of the metrics"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-workers" }
}

resource "aws_vpc_security_group_egress_rule" "endpoints" {
  for_each = var.endpoint_security_group_ids

  security_group_id            = aws_security_group.workers.id
  description                  = "HTTPS to ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_security_group_egress_rule" "gateways" {
  for_each = var.gateway_prefix_list_ids

  security_group_id = aws_security_group.workers.id
  description       = "HTTPS to ${each.key}"
  prefix_list_id    = each.value
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "beyond" {
  for_each = var.egress_cidr_blocks

  security_group_id = aws_security_group.workers.id
  description       = "HTTPS to where no endpoint leads, as tenants in other regions"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_ingress_rule" "scrapes" {
  for_each = var.scraper_security_group_ids

  security_group_id            = aws_security_group.workers.id
  description                  = "Metrics and probes for ${each.key}"
  referenced_security_group_id = each.value
  ip_protocol                  = "tcp"
  from_port                    = local.http_port
  to_port                      = local.http_port
}

# -------------------------------------------------------------------------------------------------------- the container

locals {
  http_port = 9090

  environment = merge(var.settings, {
    EXECUTION_MODE                    = "sqs"
    SQS_QUEUE_URL                     = var.worker.queue_url
    TENANT_CONFIG_TABLE               = var.worker.tenants_table_name
    CENTRAL_LOG_DISTRIBUTION_ROLE_ARN = var.worker.central_role_arn
    LOGFANOUT_DLQ_URL                 = var.worker.dead_letters_url
    LOGFANOUT_LEDGER_TABLE            = var.worker.ledger_table_name
    LOGFANOUT_QUARANTINE_URI          = var.worker.quarantine_uri
    LOGFANOUT_VISIBILITY_SECONDS      = tostring(var.worker.visibility_seconds)
    LOGFANOUT_DRAIN_SECONDS           = tostring(var.drain_seconds)
    LOGFANOUT_KEY_LAYOUT              = var.key_layout
    LOGFANOUT_HTTP_PORT               = tostring(local.http_port)
    LOGFANOUT_LOG_FORMAT              = "json" # the alarms' filters read it
  })

  probe = "import urllib.request as u; u.urlopen('http://127.0.0.1:${local.http_port}/healthz', timeout=2)"

  container = {
    name                   = "worker"
    image                  = var.image
    essential              = true
    user                   = "65532:65532"
    readonlyRootFilesystem = true # what several processes share lies in /dev/shm; nothing is written to disk
    stopTimeout            = var.stop_timeout_seconds
    environment            = [for name in sort(keys(local.environment)) : { name = name, value = local.environment[name] }]
    portMappings           = [{ name = "http", containerPort = local.http_port, hostPort = local.http_port, protocol = "tcp" }]
    linuxParameters        = { capabilities = { add = [], drop = ["ALL"] } }
    ulimits                = [{ name = "nofile", softLimit = 65536, hardLimit = 65536 }]

    # ECS does not look at the image's HEALTHCHECK.
    healthCheck = {
      command     = ["CMD", "python", "-c", local.probe]
      interval    = 10
      timeout     = 5
      retries     = 3
      startPeriod = 30
    }

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.workers.name
        awslogs-region        = local.region
        awslogs-stream-prefix = "worker"
        mode                  = "non-blocking" # a log that is slow must not stop deliveries
        max-buffer-size       = "4m"
      }
    }
  }
}

resource "aws_ecs_task_definition" "worker" {
  family                   = "${var.name}-worker"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu_units
  memory                   = var.memory_mib
  execution_role_arn       = aws_iam_role.starter.arn
  task_role_arn            = aws_iam_role.worker.arn
  container_definitions    = jsonencode([local.container])

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = var.cpu_architecture
  }
}

# ---------------------------------------------------------------------------------------------------------- the service

resource "aws_ecs_cluster" "workers" {
  name = var.name

  # The running tasks are counted here alone, and the scaling divides by them.
  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

resource "aws_ecs_cluster_capacity_providers" "workers" {
  cluster_name       = aws_ecs_cluster.workers.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]
}

resource "aws_ecs_service" "workers" {
  name                   = "${var.name}-worker"
  cluster                = aws_ecs_cluster.workers.id
  task_definition        = aws_ecs_task_definition.worker.arn
  desired_count          = var.initial_tasks
  enable_execute_command = false
  propagate_tags         = "SERVICE"

  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200

  # What neither starts nor becomes healthy is put back to what ran before.
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  # First so many tasks that are never taken away, then the shares.
  capacity_provider_strategy {
    capacity_provider = "FARGATE"
    base              = var.on_demand_base_tasks
    weight            = 100 - var.spot_percent
  }

  capacity_provider_strategy {
    capacity_provider = "FARGATE_SPOT"
    weight            = var.spot_percent
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = [aws_security_group.workers.id]
    assign_public_ip = false
  }

  lifecycle {
    ignore_changes = [desired_count] # the scaling's to say
  }

  depends_on = [
    aws_ecs_cluster_capacity_providers.workers,
    aws_iam_role_policy.starter,
    aws_iam_role_policy.protection,
    aws_iam_role_policy_attachment.worker,
  ]
}
