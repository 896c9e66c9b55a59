import type { IncomingMessage } from 'node:http';
import { type PeerCertificate, TLSSocket } from 'node:tls';

/** A request as the guard sees it, whatever serves it. */
export interface InboundRequest {
  readonly method: string;
  /** Path and query as they came. */
  readonly target: string;
  /** The route's pattern, if there is one; never the path, which holds what the caller put there. */
  readonly route: string | undefined;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Each value that came under a name, in order. */
  all(name: string): readonly string[];
  /** `https://host`, as the caller wrote it. */
  readonly origin: string;
  readonly remoteAddress: string | undefined;
  /** The certificate the caller proved to hold; undefined when the TLS stack did not accept one. */
  peerCertificate(): PeerCertificate | undefined;
}

export class NodeRequest implements InboundRequest {
  readonly #message: IncomingMessage;
  readonly route: string | undefined;

  constructor(message: IncomingMessage, route: string | undefined) {
    this.#message = message;
    this.route = route;
  }

  get method(): string {
    return this.#message.method ?? 'GET';
  }

  get target(): string {
    const url = this.#message.url ?? '/';
    return 'originalUrl' in this.#message ? String(this.#message.originalUrl) : url; // Express cuts its mount off `url`
  }

  get headers(): InboundRequest['headers'] {
    return this.#message.headers;
  }

  get origin(): string {
    const { socket, headers } = this.#message;
    return `${socket instanceof TLSSocket ? 'https' : 'http'}://${headers.host ?? ''}`;
  }

  get remoteAddress(): string | undefined {
    return this.#message.socket.remoteAddress;
  }

  /** Node keeps the first of several headers in `headers`: the raw list is asked. */
  all(name: string): readonly string[] {
    const { rawHeaders } = this.#message;
    const values: string[] = [];
    for (let index = 0; index < rawHeaders.length; index += 2) {
      const [found, value] = [rawHeaders[index], rawHeaders[index + 1]];
      if (found?.length === name.length && found.toLowerCase() === name && value !== undefined) values.push(value);
    }
    return values;
  }

  peerCertificate(): PeerCertificate | undefined {
    const { socket } = this.#message;
    if (!(socket instanceof TLSSocket) || !socket.authorized) return undefined;
    const certificate = socket.getPeerCertificate();
    return Buffer.isBuffer(certificate.raw) ? certificate : undefined;
  }
}

/** A request of the Fetch standard, which joins headers of one name by comma and knows no connection. */
export class FetchRequest implements InboundRequest {
  readonly method: string;
  readonly target: string;
  readonly route: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly origin: string;
  readonly remoteAddress: string | undefined;

  constructor(request: Request, o: { route: string | undefined; remoteAddress: string | undefined }) {
    const { origin, pathname, search } = new URL(request.url);
    this.method = request.method;
    this.target = pathname + search;
    this.headers = Object.fromEntries(request.headers);
    this.origin = origin;
    this.route = o.route;
    this.remoteAddress = o.remoteAddress;
  }

  all(name: string): readonly string[] {
    const value = this.headers[name];
    if (value === undefined) return [];
    // No credential holds a comma followed by a space: what does is two of them, joined.
    return name === 'x-forwarded-client-cert' ? [value] : value.split(', ');
  }

  peerCertificate(): undefined {}
}
