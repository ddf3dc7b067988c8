// A program of its own that streams its log to a browser: what the documentation shows, run by a test.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { SocketTransport } from 'webvirt/socket-transport';
import winston from 'winston';

const page = readFileSync(new URL('page.html', import.meta.url));
const server = createServer((_request, response) => response.setHeader('Content-Type', 'text/html').end(page));
const log = winston.createLogger({ transports: [new SocketTransport({ server })] });

server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
process.on('message', ({ level, message, fields }) => log.log(level, message, fields));
process.on('disconnect', () => process.exit(0));
