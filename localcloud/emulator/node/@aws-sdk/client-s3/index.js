"use strict";
// The part of AWS's S3 client that CDK's "auto delete objects" function uses when a stack with a
// bucket is destroyed. On AWS the Node runtime brings the SDK; MiniStack's Node worker has none, so
// the gateway puts this folder on NODE_PATH. A function that bundles its own SDK gets its own.

const crypto = require("crypto");
const http = require("http");

const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function decode(text) {
  return text.replace(/&(#x?[0-9a-f]+|\w+);/gi, (whole, name) => {
    if (name[0] !== "#") return ENTITIES[name] ?? whole;
    const hex = name[1].toLowerCase() === "x";
    return String.fromCodePoint(parseInt(name.slice(hex ? 2 : 1), hex ? 16 : 10));
  });
}

function encode(text) {
  return text.replace(/[&<>\r\n]/g, (c) => `&#${c.codePointAt(0)};`);
}

function all(xml, tag) {
  const pattern = new RegExp(`<${tag}(?:\\s[^>]*)?>([\\s\\S]*?)</${tag}>`, "g");
  return [...xml.matchAll(pattern)].map((match) => match[1]);
}

function one(xml, tag) {
  const [found] = all(xml, tag);
  return found === undefined ? undefined : decode(found);
}

function failure(xml, status) {
  const error = new Error(one(xml, "Message") ?? `S3 answered ${status}`);
  error.name = one(xml, "Code") ?? String(status);
  error.$metadata = { httpStatusCode: status };
  return error;
}

function sha256(text) {
  return crypto.createHash("sha256").update(text).digest("hex");
}

function hmac(key, text) {
  return crypto.createHmac("sha256", key).update(text).digest();
}

// Signature Version 4 of a request whose query is one word without a value. The local cloud checks
// it where permissions are enforced.
function signed(method, url, body) {
  const { AWS_ACCESS_KEY_ID: key, AWS_SECRET_ACCESS_KEY: secret, AWS_REGION: region } = process.env;
  const time = new Date().toISOString().replace(/[-:]|\.\d{3}/g, "");
  const day = time.slice(0, 8);
  const headers = { host: url.host, "x-amz-content-sha256": sha256(body), "x-amz-date": time };
  if (process.env.AWS_SESSION_TOKEN) headers["x-amz-security-token"] = process.env.AWS_SESSION_TOKEN;
  const names = Object.keys(headers).sort().join(";");
  const lines = Object.keys(headers).sort().map((name) => `${name}:${headers[name]}\n`).join("");
  const query = `${url.search.slice(1)}=`;
  const request = [method, url.pathname, query, lines, names, sha256(body)].join("\n");
  const scope = `${day}/${region}/s3/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", time, scope, sha256(request)].join("\n");
  const signing = [day, region, "s3", "aws4_request"].reduce(hmac, `AWS4${secret}`);
  const signature = hmac(signing, text).toString("hex");
  return {
    ...headers,
    authorization: `AWS4-HMAC-SHA256 Credential=${key}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

function call(method, bucket, query, body = "") {
  const url = new URL(`/${bucket}?${query}`, process.env.AWS_ENDPOINT_URL);
  const headers = {
    ...signed(method, url, body),
    "content-length": Buffer.byteLength(body),
    "content-md5": crypto.createHash("md5").update(body).digest("base64"),
  };
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => {
        const text = Buffer.concat(parts).toString("utf8");
        if (response.statusCode < 300) resolve(text);
        else reject(failure(text, response.statusCode));
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

class S3 {
  async getBucketTagging({ Bucket }) {
    const xml = await call("GET", Bucket, "tagging");
    return { TagSet: all(xml, "Tag").map((tag) => ({ Key: one(tag, "Key"), Value: one(tag, "Value") })) };
  }

  async getBucketPolicy({ Bucket }) {
    return { Policy: await call("GET", Bucket, "policy") };
  }

  async putBucketPolicy({ Bucket, Policy }) {
    await call("PUT", Bucket, "policy", Policy);
    return {};
  }

  async listObjectVersions({ Bucket }) {
    const xml = await call("GET", Bucket, "versions");
    const versions = (tag) =>
      all(xml, tag).map((item) => ({ Key: one(item, "Key"), VersionId: one(item, "VersionId") }));
    return {
      Versions: versions("Version"),
      DeleteMarkers: versions("DeleteMarker"),
      IsTruncated: one(xml, "IsTruncated") === "true",
    };
  }

  async deleteObjects({ Bucket, Delete }) {
    const objects = Delete.Objects.map(({ Key, VersionId }) => {
      const version = VersionId ? `<VersionId>${encode(VersionId)}</VersionId>` : "";
      return `<Object><Key>${encode(Key)}</Key>${version}</Object>`;
    });
    const xml = await call("POST", Bucket, "delete", `<Delete>${objects.join("")}</Delete>`);
    const [error] = all(xml, "Error");
    if (error) throw failure(error, 200);
    return {};
  }
}

module.exports = { S3 };
