local tuple(remote) = 'local_address="10.0.0.1",netns="self",remote_address="%s",remote_port="5432"' % remote;
local of(metric, instance, remote) = '%s{instance="%s",%s}' % [metric, instance, tuple(remote)];
local sockets(remote, state) = 'timewait_connect_sockets{%s,state="%s"}' % [tuple(remote), state];
local onWeb1 = 'instance="web1:10060",job="timewait",netns="self"';

[
  {
    name: 'recording rules: the worst tuple of a job',
    series: {
      [of('timewait_connect_ports_usage_ratio', 'web1:10060', '10.0.0.2')]: '0.25x8',
      [of('timewait_connect_ports_usage_ratio', 'web1:10060', '10.0.0.3')]: '0.5x8',
      [of('timewait_connect_ports_usage_ratio', 'web2:10060', '10.0.0.2')]: '0.75x8',
      'timewait_connect_ports_usage_ratio_max{netns="self",instance="web1:10060"}': '0.5x8',
      'timewait_connect_ports_usage_ratio_max{netns="self",instance="web2:10060"}': '0.75x8',
      'timewait_connect_ports_usage_ratio_max{netns="self",instance="unshown:10060"}': '0.875x8',
    },
    expr: {
      '1m': {
        'job:timewait_connect_ports_usage_ratio:topk1': {
          ['job:timewait_connect_ports_usage_ratio:topk1{instance="web2:10060",job="timewait",%s}' %
           tuple('10.0.0.2')]: 0.75,
        },
        'job:timewait_connect_ports_usage_ratio:max': {
          'job:timewait_connect_ports_usage_ratio:max{job="timewait"}': 0.875,
        },
      },
    },
  },
  {
    name: 'recording rules: entries into TIME-WAIT, and how many connections the ports stand',
    series: {
      // 120 and 20 a second.
      'timewait_netstat_tw_total{netns="self"}': '1000+1800x40',
      'timewait_netstat_tw_killed_total{netns="self"}': '0+300x40',
      'timewait_ephemeral_ports{netns="self"}': '24000x40',
      [sockets('10.0.0.2', 'time_wait')]: '6000x40',
      [sockets('10.0.0.3', 'time_wait')]: '300x40',
      [sockets('10.0.0.3', 'established')]: '20000x40',
    },
    expr: {
      '8m': {
        'instance_netns:timewait_time_wait_entries:rate5m': {
          ['instance_netns:timewait_time_wait_entries:rate5m{%s}' % onWeb1]: 140,
        },
        'instance_netns:timewait_sustainable_connects:per_second': {
          ['instance_netns:timewait_sustainable_connects:per_second{%s}' % onWeb1]: 400,
        },
        'instance_netns:timewait_sustainable_connects_usage_ratio:rate5m': {
          ['instance_netns:timewait_sustainable_connects_usage_ratio:rate5m{%s}' % onWeb1]: 0.35,
        },
        'instance_netns:timewait_sustainable_connects_usage_ratio:max': {
          ['instance_netns:timewait_sustainable_connects_usage_ratio:max{%s}' % onWeb1]: 0.25,
        },
      },
    },
  },
  {
    name: 'recording rules: when ports run out',
    series: {
      // Half of them is left, and goes in 30 minutes.
      [of('timewait_connect_ports_usage_ratio', 'web1:10060', '10.0.0.2')]: '0+0.00390625x128',
      [of('timewait_connect_ports_usage_ratio', 'web1:10060', '10.0.0.3')]: '1-0.00390625x128',
      [of('timewait_connect_ports_usage_ratio', 'web2:10060', '10.0.0.2')]: '0+0.001953125x128',
    },
    expr: {
      '32m': {
        'instance_netns_tuple:timewait_connect_ports_exhaustion_seconds:deriv20m': {
          ['instance_netns_tuple:timewait_connect_ports_exhaustion_seconds:deriv20m{instance="web1:10060",' +
           'job="timewait",%s}' % tuple('10.0.0.2')]: 1920,
          ['instance_netns_tuple:timewait_connect_ports_exhaustion_seconds:deriv20m{instance="web2:10060",' +
           'job="timewait",%s}' % tuple('10.0.0.2')]: 5760,
        },
        'job:timewait_connect_ports_exhaustion_seconds:min': {
          'job:timewait_connect_ports_exhaustion_seconds:min{job="timewait"}': 1920,
        },
      },
    },
  },
]
