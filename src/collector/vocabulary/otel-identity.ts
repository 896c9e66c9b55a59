import { given, type Reading, usersIn, type Vocabulary } from './reading.ts';

const USERS = ['user.id', 'enduser.id', 'enduser.pseudo.id'];

/** Who and where: OpenTelemetry semantic conventions 1.44, registries user, enduser, service, client, server, network. */
export const otelIdentity: Vocabulary = {
  name: 'otel',
  keys: [
    ...USERS,
    'service.peer.name',
    'peer.service',
    'server.address',
    'server.port',
    'net.peer.name',
    'net.peer.port',
    'client.address',
    'network.peer.address',
    'net.sock.peer.addr',
    'net.peer.ip',
  ],
  read: (span) => {
    const address = span.text('server.address', 'net.peer.name');
    const port = span.text('server.port', 'net.peer.port');
    return given<Reading>({
      users: usersIn(span, USERS),
      peerService: span.text('service.peer.name', 'peer.service'),
      serverAddress: address === undefined || port === undefined ? address : `${address}:${port}`,
      clientAddress: span.text('network.peer.address', 'net.sock.peer.addr', 'net.peer.ip', 'client.address'),
    });
  },
};
