// Verifies webhooks with the secret in WEBHOOK_SECRET: 204 where they are right, 401 where not.
// Prints its port, then what it verified, line by line.
const http = require("node:http");
const { createRequire } = require("node:module");
const { Webhook } = createRequire(process.cwd() + "/")("standardwebhooks");

const webhook = new Webhook(process.env.WEBHOOK_SECRET);
const server = http.createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks).toString("utf8");
    try {
      console.log(JSON.stringify(webhook.verify(body, request.headers)));
      response.writeHead(204).end();
    } catch (error) {
      response.writeHead(401).end(`${error.name}: ${error.message}`);
    }
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
