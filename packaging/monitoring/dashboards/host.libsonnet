// One host: is it in danger, which destination, what holds its ports, what to do.
local panels = import 'panels.libsonnet';

function(kit, common)
  local sections = [
    import 'host/danger.libsonnet',
    import 'host/destinations.libsonnet',
    import 'host/other_ports.libsonnet',
    import 'host/time_wait.libsonnet',
    import 'host/reuse.libsonnet',
    import 'host/states.libsonnet',
    import 'host/memory.libsonnet',
    import 'host/settings.libsonnet',
  ];
  panels.dashboard(common {
    uid: 'timewait-host',
    title: 'TIME-WAIT / Host',
    description: 'One host: which destination runs out of ephemeral ports, what holds them, and what to do.',
    variables: [kit.datasource, kit.job, kit.instance + panels.variables.one, kit.netns + panels.variables.one],
    annotations: [kit.alerts, kit.started, kit.reloaded],
    sections: [section(kit) for section in sections],
  })
