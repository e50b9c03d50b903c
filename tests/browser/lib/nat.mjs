/** Between pages and the server: takes UDP on one address, and may at any time change where it comes from. */
import { createSocket } from 'node:dgram';
import { networkInterfaces } from 'node:os';

/** This machine's first address that is not loopback: Firefox has no candidate that reaches that. */
export const lanAddress = () =>
  Object.values(networkInterfaces())
    .flat()
    .find(({ family, internal }) => family === 'IPv4' && !internal).address;

export class Nat {
  /** From `address`, which pages are told, to `server`; the same port on both. */
  constructor(address, server, port) {
    Object.assign(this, { address, server, port, inside: createSocket('udp4'), outside: new Map() });
    this.inside.on('message', (data, { address, port }) => this.socketOf({ address, port }).send(data));
  }

  async start() {
    await new Promise(resolve => this.inside.bind(this.port, this.address, resolve));
  }

  /** Every page comes from another port from now on, and what is sent to the old one is lost. */
  rebind() {
    for (const socket of this.outside.values()) socket.close();
    this.outside.clear();
  }

  socketOf(page) {
    const key = `${page.address} ${page.port}`;
    if (!this.outside.has(key)) this.outside.set(key, new Mapping(this, page));
    return this.outside.get(key);
  }

  close() {
    this.rebind();
    return new Promise(resolve => this.inside.close(resolve));
  }
}

/** A page's address outside. What it sends before that is known waits. */
class Mapping {
  constructor({ inside, server, port }, page) {
    this.socket = createSocket('udp4');
    this.closed = false;
    this.socket.on('message', data => inside.send(data, page.port, page.address));
    // A server that restarts is no error of the NAT's.
    this.socket.on('error', () => undefined);
    this.connected = new Promise(resolve => this.socket.connect(port, server, resolve));
  }

  async send(data) {
    await this.connected;
    if (!this.closed) this.socket.send(data);
  }

  close() {
    this.closed = true;
    this.socket.close();
  }
}
