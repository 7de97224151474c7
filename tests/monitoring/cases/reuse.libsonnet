local tuple = { netns: 'self', local_address: '10.0.0.1', remote_address: '10.0.0.2', remote_port: '5432' };
local of(metric) = '%s{netns="self",local_address="10.0.0.1",remote_address="10.0.0.2",remote_port="5432"}' % metric;
local ports(used, reusable) = {
  [of('timewait_connect_ports_used')]: '%dx80' % used,
  [of('timewait_connect_ports_reusable')]: '%dx80' % reusable,
  [of('timewait_connect_ports_usage_ratio')]: '%gx80' % (used / 28232),
  'timewait_ephemeral_ports{netns="self"}': '28232x80',
};
local recycled(values) = { 'timewait_netstat_tw_recycled_total{netns="self"}': values };
local case(name, alert, series, firing={}, quiet=[]) =
  { name: 'reuse: ' + name, alert: alert, series: series, firing: firing, quiet: quiet };

local depends = 'TimewaitConnectDependsOnTimeWaitReuse';
local notHappening = 'TimewaitTimeWaitReuseNotHappening';
local living = {
  labels: tuple,
  description: 'On web1:10060 (netns self) connections from 10.0.0.1 to 10.0.0.2 port 5432 would hold 92.45% of the ' +
               'ephemeral ports if connect() did not take over TIME-WAIT sockets.',
};
local missing = {
  labels: tuple,
  description: 'On web1:10060 (netns self) 88.55% of the ephemeral ports from 10.0.0.1 to 10.0.0.2 port 5432 are ' +
               'in use or in TIME-WAIT, and hardly any have been taken over in the last 5m: the remote host may ' +
               'be without TCP timestamps.',
};

[
  case('ports are left without it', depends, ports(2000, 9000) + recycled('0+6000x80'), quiet=['0m', '15m']),
  // Another alert's.
  case('no port is left with it', depends, ports(24000, 1000) + recycled('0+6000x80'), quiet=['0m', '15m']),
  case('this kernel does not tell', depends, {
    [of('timewait_connect_ports_used')]: '25000x80',
    'timewait_ephemeral_ports{netns="self"}': '28232x80',
  }, quiet=['15m']),
  // connect() stays within the preferred half: 14,100 ports, and 200 takeovers a second.
  case('a destination lives on it', depends, ports(300, 13800) + recycled('0+3000x80'), firing={
    '15m': [living],
  }, quiet=['5m']),
  case('ports would be left without it', depends, ports(300, 13800) + recycled('0+300x80'), quiet=['15m']),
  case('others live on it', depends, ports(300, 2000) + recycled('0+6000x80'), quiet=['15m']),

  case('it happens', notHappening, ports(1000, 24000) + recycled('0+6000x80'), quiet=['5m', '10m', '15m']),
  case('whether it happens is not known', notHappening, ports(1000, 24000), quiet=['10m', '15m']),
  case('it need not happen', notHappening, ports(1000, 1000) + recycled('7x80'), quiet=['10m', '15m']),
  case('hardly any, perhaps elsewhere', notHappening, ports(1000, 24000) + recycled('0+60x80'), firing={
    '15m': [missing],
  }),
  case('it does not happen', notHappening, ports(1000, 24000) + recycled('7x80'), firing={
    '15m': [missing],
  }, quiet=['4m']),
]
