local here = 'On web1:10060 (netns self) ';
local namespace = { netns: 'self' };
local case(name, alert, series, firing={}, quiet=[]) =
  { name: 'states: ' + name, alert: alert, series: series, firing: firing, quiet: quiet };

local minisocks = 'timewait_sockstat_tcp_time_wait{netns="self"}';
local limit = 'timewait_sysctl_net_ipv4_tcp_max_tw_buckets{netns="self"}';
local overflow = 'timewait_netstat_tcp_time_wait_overflow_total{netns="self"}';
local recycle = 'timewait_sysctl_net_ipv4_tcp_tw_recycle{netns="self"}';
local rejected = 'timewait_netstat_paws_passive_total{netns="self"}';
local closeWait(family) = 'timewait_sockets{netns="self",family="%s",state="close_wait"}' % family;
local toApi = 'timewait_connect_sockets{netns="self",local_address="10.0.0.1",remote_address="10.0.0.2",' +
              'remote_port="5432",state="close_wait"}';
local fromClient = 'timewait_server_sockets{netns="self",local_address="10.0.0.1",local_port="443",' +
                   'remote_address="10.0.0.9",state="close_wait"}';
local throughout = here + '%d sockets or more have been in CLOSE-WAIT throughout the last 10m.';

[
  case('many TIME-WAIT sockets, and room for more', 'TimewaitBucketLimitNear', {
    [minisocks]: '200000x40',
    [limit]: '262144x40',
  }, quiet=['5m', '10m']),
  case('TIME-WAIT sockets near the limit', 'TimewaitBucketLimitNear', {
    [minisocks]: '4500x40',
    [limit]: '5000x40',
  }, firing={
    '5m': [{
      labels: namespace,
      description: here + 'TIME-WAIT sockets are at 90% of net.ipv4.tcp_max_tw_buckets; connections that close ' +
                   'beyond it get no TIME-WAIT.',
    }],
  }, quiet=['2m']),

  case('the limit was reached long ago', 'TimewaitBucketOverflow', { [overflow]: '5000x40' }, quiet=['0m', '10m']),
  case('the limit is reached', 'TimewaitBucketOverflow', { [overflow]: '5000x20 5000+10x4 5040x40' }, firing={
    '7m': [{
      labels: namespace,
      description: here + '40 connections ended without TIME-WAIT in the last 5m, because ' +
                   'net.ipv4.tcp_max_tw_buckets was reached or memory was short.',
    }],
  }, quiet=['5m', '12m']),

  case('old timestamps, without recycling', 'TimewaitPawsRejectionsWithRecycle', {
    [recycle]: '0x40',
    [rejected]: '0+15x40',
  }, quiet=['5m', '10m']),
  case('recycling, without victims', 'TimewaitPawsRejectionsWithRecycle', {
    [recycle]: '1x40',
    [rejected]: '15x40',
  }, quiet=['5m', '10m']),
  case('recycling, and victims', 'TimewaitPawsRejectionsWithRecycle', {
    [recycle]: '1x40',
    [rejected]: '0+30x40',
  }, firing={
    '6m': [{
      labels: namespace,
      description: here + '2 connection attempts a second are dropped for an old timestamp, and ' +
                   'net.ipv4.tcp_tw_recycle is on.',
    }],
  }),

  case('no recycling', 'TimewaitTcpTwRecycleEnabled', { [recycle]: '0x40' }, quiet=['5m']),
  case('recycling', 'TimewaitTcpTwRecycleEnabled', { [recycle]: '1x40' }, firing={
    '5m': [{ labels: namespace, description: here + 'net.ipv4.tcp_tw_recycle is 1.' }],
  }, quiet=['30s']),

  // Connections that are being closed pass through CLOSE-WAIT.
  case('many pass through CLOSE-WAIT', 'TimewaitCloseWaitAccumulating', {
    [closeWait('ipv4')]: '500 20 900 700 30 600 80 900 800 10 500 20 900 700 30 600 80 900 800 10 500x4 20 ' +
                         '500 20 900 700 30 600 80 900 800 10 500 20 900 700 30 600 80 900 800 10 500x4 20 700x4',
    [closeWait('ipv6')]: '0x60',
  }, quiet=['5m', '10m', '12m30s', '13m30s']),
  case('CLOSE-WAIT does not end', 'TimewaitCloseWaitAccumulating', {
    [closeWait('ipv4')]: '0+5x200',
    [closeWait('ipv6')]: '50x200',
    [toApi]: '0+4x200',
    [fromClient]: '0+1x200',
  }, firing={
    '30m': [{
      labels: namespace,
      description: throughout % 450 + ' Now 480 are from 10.0.0.1 to 10.0.0.2 port 5432.' +
                   ' Now 120 are accepted ones from 10.0.0.9 to 10.0.0.1 port 443.',
    }],
  }, quiet=['10m', '17m']),
  case('nobody has closed, and no tuple is shown', 'TimewaitCloseWaitAccumulating', {
    [closeWait('ipv4')]: '150x80',
    [closeWait('ipv6')]: '0x80',
  }, firing={ '20m': [{ labels: namespace, description: throughout % 150 }] }, quiet=['4m']),
]
