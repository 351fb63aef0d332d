// Sends records by one of the published exporters: node send.js http|proto URL COUNT
import { SeverityNumber } from "@opentelemetry/api-logs";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";

const [kind, url, count] = process.argv.slice(2);
const { OTLPLogExporter } = await import(`@opentelemetry/exporter-logs-otlp-${kind}`);
const exporter = new OTLPLogExporter({ url, compression: "gzip" });
// Two exports, so that the second one goes out on the connection kept from the first.
const processor = new BatchLogRecordProcessor({
  exporter,
  maxQueueSize: Number(count),
  maxExportBatchSize: Math.ceil(Number(count) / 2),
});
const provider = new LoggerProvider({ processors: [processor] });
const logger = provider.getLogger("shop.till", "1.0");
for (let n = 0; n < Number(count); n++) {
  logger.emit({
    severityNumber: SeverityNumber.WARN,
    severityText: "WARN",
    body: n % 10 ? `record ${n} ☂` : { text: `record ${n} ☂`, nested: [n, null, 0.5] },
    attributes: { n, ratio: n % 3 ? n / 7 : NaN, bytes: new Uint8Array([0, 255]), tags: ["a", "b"] },
  });
}
await provider.shutdown();
