# bash completion for timewait_exporter(1)                                        -*- shell-script -*-

_timewait_exporter() {
  local cur prev words cword split
  _init_completion -s || return

  case $prev in
    --config.file | --web.config.file)
      _filedir '@(yml|yaml)'
      return
      ;;
    --path.procfs | --path.sysfs | --path.recording)
      _filedir -d
      return
      ;;
    --log.level)
      COMPREPLY=($(compgen -W 'debug info warn error' -- "$cur"))
      return
      ;;
    --log.format)
      COMPREPLY=($(compgen -W 'logfmt json' -- "$cur"))
      return
      ;;
    --web.listen-address | --web.telemetry-path)
      return
      ;;
  esac
  $split && return

  COMPREPLY=($(compgen -W '
    --help --version --config.file --config.check --once --list-collectors --list-metrics
    --web.listen-address --web.telemetry-path --web.systemd-socket --web.enable-lifecycle
    --web.config.file
    --collector.sock_diag --no-collector.sock_diag --collector.netstat --no-collector.netstat
    --collector.sockstat --no-collector.sockstat --collector.slabinfo --no-collector.slabinfo
    --collector.sysctl --no-collector.sysctl --collector.connect_failures --no-collector.connect_failures
    --collector.advice --no-collector.advice --collector.disable-defaults
    --path.procfs --path.sysfs --path.recording --log.level --log.format' -- "$cur"))
} &&
  complete -F _timewait_exporter timewait_exporter
