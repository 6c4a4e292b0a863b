// Sends single requests of Kafka's protocol and tells what comes back, field by field. Messages are those of Kafka's own Java client:
// what is sent and what is read is as Kafka means it, without the client's logic around it.
//
//   java -cp <jars> RawRequests          reads commands, a JSON object a line; answers each with a line
//
//   {"do": "send", "connection": NAME, "address": "HOST:PORT", "api": "Fetch", "version": 12, "client": ID, "answered": true, "time": MS,
//    "body": {…}}; "time": what records begin with that name none
//       {"sent": true}, or {"cannot": WHY} if this version of the request can't say what `body` does
//   {"do": "receive", "connection": NAME, "timeout": MS}
//       {"answer": {…}} to the oldest request that has none, {"closed": true} or {"silent": true}
//   {"do": "close", "connection": NAME}
//
// A body names fields as Kafka does; those that it does not name have their defaults. Records are {"batches": [BATCH…]}; see batch().

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.reflect.Field;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.message.FetchResponseData;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.record.BaseRecords;
import org.apache.kafka.common.record.CompressionType;
import org.apache.kafka.common.record.ControlRecordType;
import org.apache.kafka.common.record.DefaultRecordBatch;
import org.apache.kafka.common.record.EndTransactionMarker;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.common.record.MemoryRecordsBuilder;
import org.apache.kafka.common.record.Record;
import org.apache.kafka.common.record.RecordBatch;
import org.apache.kafka.common.record.TimestampType;

public class RawRequests {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
  private static final String MESSAGES = "org.apache.kafka.common.message.";

  private record Sent(ApiKeys api, short version, int correlationId) {}

  private static final class Connection {
    final Socket socket;
    final DataInputStream input;
    final Deque<Sent> unanswered = new ArrayDeque<>();

    Connection(String address) throws IOException {
      int colon = address.lastIndexOf(':');
      socket = new Socket(address.substring(0, colon), Integer.parseInt(address.substring(colon + 1)));
      socket.setTcpNoDelay(true);
      input = new DataInputStream(socket.getInputStream());
    }
  }

  private final Map<String, Connection> connections = new HashMap<>();
  private int correlationId = 0;
  private static long firstTimestamp = 0;

  public static void main(String[] arguments) throws Exception {
    ObjectMapper mapper = new ObjectMapper();
    RawRequests requests = new RawRequests();
    BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      JsonNode command = mapper.readTree(line);
      ObjectNode said;
      try {
        said = requests.obey(command);
      } catch (SocketException | EOFException gone) {
        said = JSON.objectNode().put("closed", true);
      }
      System.out.write((mapper.writeValueAsString(said) + "\n").getBytes(StandardCharsets.UTF_8));
      System.out.flush();
    }
  }

  private ObjectNode obey(JsonNode command) throws Exception {
    String name = command.get("connection").asText();
    switch (command.get("do").asText()) {
      case "send": return send(name, command);
      case "receive": return receive(connections.get(name), command.get("timeout").asInt());
      case "close":
        Connection connection = connections.remove(name);
        if (connection != null) connection.socket.close();
        return JSON.objectNode();
      default: throw new IllegalArgumentException(command.toString());
    }
  }

  private ObjectNode send(String name, JsonNode command) throws Exception {
    ApiKeys api = apiOf(command.get("api").asText());
    short version = (short) command.get("version").asInt();
    firstTimestamp = command.get("time").asLong();
    Object body = Class.forName(MESSAGES + api.name + "RequestData").getConstructor().newInstance();
    fill(body, command.get("body"));
    ByteBuffer frame;
    try {
      RequestHeaderData header = new RequestHeaderData().setRequestApiKey(api.id).setRequestApiVersion(version)
          .setCorrelationId(++correlationId).setClientId(command.get("client").asText());
      ByteBuffer head = MessageUtil.toByteBufferAccessor(header, api.requestHeaderVersion(version)).buffer();
      ByteBuffer rest = MessageUtil.toByteBufferAccessor((ApiMessage) body, version).buffer();
      frame = ByteBuffer.allocate(4 + head.remaining() + rest.remaining());
      frame.putInt(head.remaining() + rest.remaining()).put(head).put(rest);
    } catch (RuntimeException why) {  // UnsupportedVersionException, or a null where this version has none
      return JSON.objectNode().put("cannot", String.valueOf(why.getMessage()));
    }
    Connection connection = connections.get(name);
    if (connection == null) connections.put(name, connection = new Connection(command.get("address").asText()));
    if (command.get("answered").asBoolean()) connection.unanswered.add(new Sent(api, version, correlationId));
    connection.socket.getOutputStream().write(frame.array());
    return JSON.objectNode().put("sent", true);
  }

  private ObjectNode receive(Connection connection, int timeout) throws Exception {
    if (connection == null) return JSON.objectNode().put("closed", true);
    connection.socket.setSoTimeout(timeout);
    byte[] bytes;
    try {
      bytes = new byte[connection.input.readInt()];
      connection.input.readFully(bytes);
    } catch (SocketTimeoutException nothing) {
      return JSON.objectNode().put("silent", true);
    }
    Sent sent = connection.unanswered.remove();
    ByteBufferAccessor reader = new ByteBufferAccessor(ByteBuffer.wrap(bytes));
    ResponseHeaderData header = new ResponseHeaderData(reader, sent.api.responseHeaderVersion(sent.version));
    if (header.correlationId() != sent.correlationId) return JSON.objectNode().put("wrong", "another request's answer");
    ApiMessage response = (ApiMessage) Class.forName(MESSAGES + sent.api.name + "ResponseData").getConstructor().newInstance();
    response.read(reader, sent.version);
    ObjectNode answer = (ObjectNode) Class.forName(response.getClass().getName() + "JsonConverter")
        .getMethod("write", response.getClass(), short.class).invoke(null, response, sent.version);
    if (response instanceof FetchResponseData fetched) addRecords(fetched, answer);
    if (reader.remaining() > 0) return JSON.objectNode().put("wrong", reader.remaining() + " bytes too many");
    ObjectNode said = JSON.objectNode();
    said.set("answer", answer);
    return said;
  }

  private static ApiKeys apiOf(String name) {
    for (ApiKeys api : ApiKeys.values()) {
      if (api.name.equals(name)) return api;
    }
    throw new IllegalArgumentException("no request is called " + name);
  }

  // --- A message out of JSON

  private static void fill(Object message, JsonNode body) throws Exception {
    for (Iterator<Map.Entry<String, JsonNode>> each = body.fields(); each.hasNext();) {
      Map.Entry<String, JsonNode> entry = each.next();
      Field field = message.getClass().getDeclaredField(entry.getKey());
      field.setAccessible(true);
      field.set(message, value(field.getType(), field.getGenericType(), entry.getValue()));
    }
  }

  @SuppressWarnings("unchecked")
  private static Object value(Class<?> type, Type generic, JsonNode node) throws Exception {
    if (node.isNull()) return null;
    if (type == boolean.class) return node.asBoolean();
    if (type == byte.class || type == Byte.class) return (byte) node.asInt();
    if (type == short.class || type == Short.class) return (short) node.asInt();
    if (type == int.class || type == Integer.class) return node.asInt();
    if (type == long.class || type == Long.class) return node.asLong();
    if (type == double.class) return node.asDouble();
    if (type == String.class) return node.asText();
    if (type == Uuid.class) return Uuid.fromString(node.asText());
    if (type == byte[].class) return node.asText().getBytes(StandardCharsets.UTF_8);
    if (BaseRecords.class.isAssignableFrom(type)) return records(node);
    if (Collection.class.isAssignableFrom(type)) {
      Type source = generic instanceof ParameterizedType ? generic : type.getGenericSuperclass();
      Class<?> element = (Class<?>) ((ParameterizedType) source).getActualTypeArguments()[0];
      Collection<Object> list = type == List.class ? new ArrayList<>() : (Collection<Object>) type.getConstructor().newInstance();
      for (JsonNode each : node) list.add(value(element, element, each));
      return list;
    }
    Object nested = type.getConstructor().newInstance();
    fill(nested, node);
    return nested;
  }

  private static MemoryRecords records(JsonNode node) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (JsonNode each : node.get("batches")) bytes.write(batch(each));
    return MemoryRecords.readableRecords(ByteBuffer.wrap(bytes.toByteArray()));
  }

  // {"records": [[KEY, VALUE, TIMESTAMP, [[HEADER, VALUE]…]]…], "magic", "compression", "timestampType", "baseOffset", "producerId",
  //  "epoch", "sequence", "transactional", "control": "commit" or "abort",
  //  "patch": [[POSITION, HEX]…] with the checksum made anew, "crc": false: with a wrong one, "cut": bytes left out at the end}
  private static byte[] batch(JsonNode spec) {
    byte magic = (byte) spec.path("magic").asInt(2);
    ByteBuffer buffer = ByteBuffer.allocate(4096 + 2 * spec.toString().length());
    boolean control = spec.has("control");
    CompressionType codec = CompressionType.forName(spec.path("compression").asText("none"));
    MemoryRecordsBuilder builder = new MemoryRecordsBuilder(buffer, magic, Compression.of(codec).build(),
        TimestampType.forName(spec.path("timestampType").asText("CreateTime")), spec.path("baseOffset").asLong(0), firstTimestamp,
        control ? 1 : -1, (short) (control ? 0 : -1), -1, control, control, -1, buffer.capacity());
    if (control) {
      ControlRecordType type = spec.get("control").asText().equals("commit") ? ControlRecordType.COMMIT : ControlRecordType.ABORT;
      builder.appendEndTxnMarker(firstTimestamp, new EndTransactionMarker(type, 0));
    }
    int place = 0;
    for (JsonNode record : spec.path("records")) {
      List<Header> headers = new ArrayList<>();
      for (JsonNode header : record.path(3)) headers.add(new RecordHeader(header.get(0).asText(), bytes(header.get(1))));
      long timestamp = record.path(2).asLong(firstTimestamp + place++);
      if (magic < 2) {
        builder.append(timestamp, bytes(record.get(0)), bytes(record.get(1)));
      } else {
        builder.append(timestamp, bytes(record.get(0)), bytes(record.get(1)), headers.toArray(new Header[0]));
      }
    }
    builder.close();
    ByteBuffer built = builder.build().buffer();
    if (!built.hasRemaining()) {  // such a batch is what compaction leaves
      built = ByteBuffer.allocate(DefaultRecordBatch.RECORD_BATCH_OVERHEAD);
      DefaultRecordBatch.writeEmptyHeader(built, magic, -1, (short) -1, -1, 0, 0, -1, TimestampType.CREATE_TIME, firstTimestamp, false, false);
      built.flip();
    }
    byte[] bytes = new byte[built.remaining() - spec.path("cut").asInt(0)];
    built.get(bytes);
    if (magic == 2 && spec.has("producerId")) {  // any numbers, which Kafka's builder would refuse
      ByteBuffer header = ByteBuffer.wrap(bytes);
      header.putLong(43, spec.get("producerId").asLong()).putShort(51, (short) spec.path("epoch").asInt(-1));
      header.putInt(53, spec.path("sequence").asInt(-1));
      if (spec.path("transactional").asBoolean(false)) header.put(22, (byte) (header.get(22) | 0x10));
    }
    for (JsonNode patch : spec.path("patch")) {
      byte[] changed = HexFormat.of().parseHex(patch.get(1).asText());
      System.arraycopy(changed, 0, bytes, patch.get(0).asInt(), changed.length);
    }
    if (magic == 2 && bytes.length > 21) {
      CRC32C crc = new CRC32C();
      crc.update(bytes, 21, bytes.length - 21);
      ByteBuffer.wrap(bytes).putInt(17, (int) crc.getValue());
    }
    if (!spec.path("crc").asBoolean(true)) bytes[17] ^= 1;
    return bytes;
  }

  private static byte[] bytes(JsonNode text) {
    return text == null || text.isNull() ? null : text.asText().getBytes(StandardCharsets.UTF_8);
  }

  // --- Records as JSON

  private static void addRecords(FetchResponseData fetched, ObjectNode answer) {
    for (int i = 0; i < fetched.responses().size(); ++i) {
      List<FetchResponseData.PartitionData> partitions = fetched.responses().get(i).partitions();
      for (int j = 0; j < partitions.size(); ++j) {
        ObjectNode partition = (ObjectNode) answer.get("responses").get(i).get("partitions").get(j);
        partition.remove("recordsSizeInBytes");
        if (partitions.get(j).records() == null) {
          partition.putNull("records");
        } else {
          partition.set("records", dump((MemoryRecords) partitions.get(j).records()));
        }
      }
    }
  }

  private static ArrayNode dump(MemoryRecords records) {
    ArrayNode list = JSON.arrayNode();
    for (RecordBatch each : records.batches()) {
      ObjectNode batch = list.addObject();
      batch.put("baseOffset", each.baseOffset()).put("lastOffset", each.lastOffset()).put("magic", each.magic());
      batch.put("valid", each.isValid()).put("codec", each.compressionType().name).put("producerId", each.producerId());
      batch.put("producerEpoch", each.producerEpoch()).put("baseSequence", each.baseSequence());
      batch.put("leaderEpoch", each.partitionLeaderEpoch()).put("timestampType", each.timestampType().name);
      batch.put("maxTimestamp", each.maxTimestamp()).put("transactional", each.isTransactional()).put("control", each.isControlBatch());
      if (each instanceof DefaultRecordBatch whole) batch.put("baseTimestamp", whole.baseTimestamp());
      ArrayNode contents = batch.putArray("records");
      for (Record record : each) {
        ObjectNode one = contents.addObject();
        one.put("offset", record.offset()).put("timestamp", record.timestamp());
        if (each.isControlBatch()) {
          one.put("marker", ControlRecordType.parse(record.key()).name());
          continue;
        }
        one.put("key", text(record.key())).put("value", text(record.value()));
        for (Header header : record.headers()) {
          one.withArray("headers").addArray().add(header.key()).add(header.value() == null ? null : new String(header.value(), StandardCharsets.UTF_8));
        }
      }
    }
    return list;
  }

  private static String text(ByteBuffer bytes) {
    if (bytes == null) return null;
    String text = StandardCharsets.UTF_8.decode(bytes.duplicate()).toString();
    return text.length() <= 100 ? text : text.substring(0, 20) + "… of " + text.length();
  }
}
