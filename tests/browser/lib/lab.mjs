/** A relay of the laboratory between pages and server: a line with any loss, rate and delay (`tests/examples/relay.rs`). */
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { built, end } from './server.mjs';

export class LabRelay {
  constructor({ http, media }) {
    Object.assign(this, { http, media });
  }

  async start() {
    const any = port => `127.0.0.1:0=127.0.0.1:${port}`;
    const args = ['--udp', any(this.media), '--tcp', any(this.http), '--control', '127.0.0.1:0'];
    this.process = spawn(built('examples/relay', '-p tests --example relay'), args, {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const ports = {};
    for await (const line of createInterface({ input: this.process.stdout })) {
      const [kind, address] = line.split(' ');
      ports[kind] = Number(address.split(':')[1]);
      if (kind === 'control') break;
    }
    this.udpPort = ports.udp;
    this.origin = `http://127.0.0.1:${ports.tcp}`;
    this.control = connect(ports.control, '127.0.0.1');
    this.answers = createInterface({ input: this.control })[Symbol.asyncIterator]();
    return this;
  }

  link(site) {
    return `${this.origin}/#${site.token}`;
  }

  /** Gives an order; what the relay says to it. */
  async tell(order) {
    this.control.write(`${order}\n`);
    const { value } = await this.answers.next();
    const answer = JSON.parse(value);
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  }

  async close() {
    this.control?.destroy();
    if (this.process !== undefined) await end(this.process);
  }
}
