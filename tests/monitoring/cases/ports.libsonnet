local here = 'On web1:10060 (netns self) ';
local case(name, alert, series, firing={}, quiet=[]) =
  { name: 'ports: ' + name, alert: alert, series: series, firing: firing, quiet: quiet };

local bind(address) = 'timewait_bind_ports_usage_ratio{netns="self",local_address="%s"}' % address;
local bindHighest = 'timewait_bind_ports_usage_ratio_max{netns="self"}';
local server = 'timewait_server_remote_ports_usage_ratio' +
               '{netns="self",local_address="10.0.0.1",local_port="443",remote_address="10.0.0.9"}';
local serverHighest = 'timewait_server_remote_ports_usage_ratio_max{netns="self"}';
local blocked(evidence) = 'timewait_ephemeral_ports_blocked{netns="self",evidence="%s"}' % evidence;
local capacity = 'timewait_ephemeral_ports{netns="self"}';
local listener = 'timewait_advice{netns="self",rule="listener_inside_ephemeral_range",severity="warning"}';
local use(percent, who) =
  here + 'the connections from %s use %s of the ports that a remote host is taken to have ' % [who, percent] +
  '(server_assumed_remote_ports).';

[
  case('bind() has enough', 'TimewaitBindPortsNearlyExhausted', {
    [bind('0.0.0.0')]: '0.8x40',
    [bindHighest]: '0.8x40',
  }, quiet=['5m', '10m']),
  case('bind() has few', 'TimewaitBindPortsNearlyExhausted', {
    [bind('0.0.0.0')]: '0.9x40',
    [bind('10.0.0.1')]: '0.85x40',
    [bind('10.0.0.2')]: '0.1x40',
    [bindHighest]: '0.9x40',
  }, firing={
    '6m': [{
      labels: { netns: 'self' },
      description: here + '90% of the ephemeral ports of a local address are in use; when all are, bind() to it and ' +
                   'port 0 fails with EADDRINUSE. Of 0.0.0.0 90% are. Of 10.0.0.1 85% are. Of 10.0.0.2 10% are.',
    }],
  }, quiet=['2m']),

  case('a client has enough', 'TimewaitServerQuadrupletsNearlyExhausted', {
    [server]: '0.8x40',
    [serverHighest]: '0.8x40',
  }, quiet=['5m', '10m']),
  case('a client has none left', 'TimewaitServerQuadrupletsNearlyExhausted', {
    [server]: '1.25x40',
    [serverHighest]: '1.25x40',
  }, firing={
    '5m': [{
      labels: { netns: 'self', local_address: '10.0.0.1', local_port: '443', remote_address: '10.0.0.9' },
      description: use('125%', '10.0.0.9 to 10.0.0.1 port 443'),
    }],
  }, quiet=['2m']),
  case('a client that is not shown', 'TimewaitServerQuadrupletsNearlyExhausted', {
    [serverHighest]: '0.9x40',
  }, firing={ '5m': [{ labels: { netns: 'self' }, description: use('90%', 'some remote host') }] }, quiet=['2m']),

  case('some are blocked', 'TimewaitEphemeralPortsBlocked', {
    [blocked('observed')]: '3000x80',
    [blocked('inferred')]: '4000x80',
    [capacity]: '28232x80',
  }, quiet=['10m', '20m']),
  case('many are blocked', 'TimewaitEphemeralPortsBlocked', {
    [blocked('observed')]: '7058x80',
    [blocked('inferred')]: '7058x80',
    [capacity]: '28232x80',
  }, firing={
    '12m': [{
      labels: { netns: 'self' },
      description: here + '50% of the ephemeral ports are closed to every connect(), whatever its destination: ' +
                   'listeners or sockets that were bound hold them.',
    }],
  }, quiet=['9m']),

  case('no listener is in the range', 'TimewaitListenerInsideEphemeralRange', { [listener]: '0x280' }, quiet=['1h5m']),
  case('a listener is in the range for a while', 'TimewaitListenerInsideEphemeralRange', {
    [listener]: '0x40 1x200 0x40',
  }, quiet=['30m', '1h', '1h5m']),
  case('a listener is in the range', 'TimewaitListenerInsideEphemeralRange', { [listener]: '1x280' }, firing={
    '1h5m': [{
      labels: { netns: 'self' },
      description: here + 'a program listens on a port inside net.ipv4.ip_local_port_range that is not in ' +
                   "net.ipv4.ip_local_reserved_ports; the exporter's log names the lowest.",
    }],
  }, quiet=['59m']),
]
