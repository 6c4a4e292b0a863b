// Writes golden bytes: messages filled at random and serialised by Kafka's own Java client.
//
//   java -cp <jars> GoldenMessages.java <list of messages> <fillings per version> > golden.txt
//
// The list has a line per message: its name, first and last version. The output has a line per filling:
//
//   message <name> <version> <hex>            a message's body
//   header <name> <version> <hex>             the header of a request or response, before such a body
//
// Filling 0 has every default, 1 every tagged field, the others whatever chance gives. Which fields a version has comes from
// Kafka's own schemas.

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.HexFormat;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.RequestHeaderData;
import org.apache.kafka.common.message.ResponseHeaderData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.record.BaseRecords;
import org.apache.kafka.common.record.MemoryRecords;

public class GoldenMessages {
  private static final String[] TEXTS = {"", "exams", "ä€𝄞", "x".repeat(126), "y".repeat(127), "z".repeat(130)};

  private final Random random;
  private final boolean allTags;

  private GoldenMessages(long seed, boolean allTags) {
    this.random = new Random(seed);
    this.allTags = allTags;
  }

  public static void main(String[] arguments) throws Exception {
    int fillings = Integer.parseInt(arguments[1]);
    for (String line : Files.readAllLines(Path.of(arguments[0]))) {
      String[] words = line.split(" ");
      short last = Short.parseShort(words[2]);
      for (short version = Short.parseShort(words[1]); version <= last; ++version) {
        Class<?> type = classOf(words[0]);
        headers(words[0], version);
        for (int filling = 0; filling < fillings; ++filling) {
          Object message = type.getConstructor().newInstance();
          if (filling > 0) {
            long seed = words[0].hashCode() * 1000L + version * 100 + filling;
            new GoldenMessages(seed, filling == 1).fill(message, schemaOf(type, version));
          }
          short bodyVersion = words[0].endsWith("Key") ? 0 : version;  // a key's version is what Kafka 4 calls its apiKey
          ByteBuffer body = MessageUtil.toByteBufferAccessor((Message) message, bodyVersion).buffer();
          print("message", words[0], version, body);
        }
      }
    }
  }

  private static Class<?> classOf(String name) throws ClassNotFoundException {
    String[] candidates = {"org.apache.kafka.common.message." + name + "Data", "org.apache.kafka.common.message." + name,
                           "org.apache.kafka.coordinator.group.generated." + name,
                           "org.apache.kafka.coordinator.transaction.generated." + name};
    for (String candidate : candidates) {
      try {
        return Class.forName(candidate);
      } catch (ClassNotFoundException notThisOne) {
        continue;
      }
    }
    throw new ClassNotFoundException(name);
  }

  private static Schema schemaOf(Class<?> type, short version) throws Exception {
    Schema[] schemas = (Schema[]) type.getField("SCHEMAS").get(null);
    return schemas[version < schemas.length ? version : 0];
  }

  private static void headers(String name, short version) throws Exception {
    boolean request = name.endsWith("Request");
    if (!request && !name.endsWith("Response")) return;
    String api = name.substring(0, name.length() - (request ? "Request" : "Response").length());
    for (ApiKeys key : ApiKeys.values()) {
      if (!key.name.equals(api)) continue;
      int correlationId = key.id * 1000 + version;
      if (request) {
        RequestHeaderData header = new RequestHeaderData().setRequestApiKey(key.id).setRequestApiVersion(version)
            .setCorrelationId(correlationId).setClientId(version % 2 == 0 ? "golden" : null);
        print("header", name, version, MessageUtil.toByteBufferAccessor(header, key.requestHeaderVersion(version)).buffer());
      } else {
        ApiMessage header = new ResponseHeaderData().setCorrelationId(correlationId);
        print("header", name, version, MessageUtil.toByteBufferAccessor(header, key.responseHeaderVersion(version)).buffer());
      }
    }
  }

  private static void print(String kind, String name, short version, ByteBuffer bytes) {
    byte[] copy = new byte[bytes.remaining()];
    bytes.duplicate().get(copy);
    System.out.println(kind + " " + name + " " + version + " " + HexFormat.of().formatHex(copy));
  }

  private void fill(Object message, Schema schema) throws Exception {
    for (BoundField bound : schema.fields()) {
      if (bound.def.type instanceof TaggedFields tagged) {
        for (Map.Entry<Integer, org.apache.kafka.common.protocol.types.Field> entry : tagged.fields().entrySet()) {
          if (allTags || random.nextBoolean()) set(message, entry.getValue().name, entry.getValue().type);
        }
      } else {
        set(message, bound.def.name, bound.def.type);
      }
    }
  }

  private void set(Object message, String name, org.apache.kafka.common.protocol.types.Type type) throws Exception {
    Field field = fieldOf(message.getClass(), name);
    field.setAccessible(true);
    field.set(message, value(field.getType(), field.getGenericType(), type));
  }

  // Kafka's schemas name fields in snake case, its classes in camel case.
  private static Field fieldOf(Class<?> type, String name) throws NoSuchFieldException {
    String wanted = name.replace("_", "").toLowerCase();
    for (Field field : type.getDeclaredFields()) {
      if (!Modifier.isStatic(field.getModifiers()) && field.getName().toLowerCase().equals(wanted)) return field;
    }
    throw new NoSuchFieldException(type + "." + name);
  }

  private Object value(Class<?> type, Type generic, org.apache.kafka.common.protocol.types.Type wire) throws Exception {
    if (wire.isNullable() && !allTags && random.nextInt(3) == 0) return null;
    if (type == boolean.class) return allTags || random.nextBoolean();
    if (type == byte.class || type == Byte.class) return (byte) integer(Byte.MIN_VALUE, Byte.MAX_VALUE);
    if (type == short.class || type == Short.class) return (short) integer(Short.MIN_VALUE, Short.MAX_VALUE);
    // An int in Java is an int32, or else a uint16.
    if (type == int.class || type == Integer.class) {
      boolean isUint16 = wire == org.apache.kafka.common.protocol.types.Type.UINT16;
      return (int) (isUint16 ? integer(0, 65535) : integer(Integer.MIN_VALUE, Integer.MAX_VALUE));
    }
    if (type == long.class || type == Long.class) return integer(Long.MIN_VALUE, Long.MAX_VALUE);
    if (type == double.class) return random.nextGaussian() * 1e9;
    if (type == String.class) return TEXTS[random.nextInt(TEXTS.length)];
    if (type == Uuid.class) return new Uuid(random.nextLong(), random.nextLong());
    if (type == byte[].class) return bytes();
    if (type == ByteBuffer.class) return ByteBuffer.wrap(bytes());
    if (type == BaseRecords.class) return MemoryRecords.readableRecords(ByteBuffer.wrap(bytes()));
    if (Collection.class.isAssignableFrom(type)) return collection(type, generic, wire);
    Object nested = type.getConstructor().newInstance();
    fill(nested, (Schema) wire);
    return nested;
  }

  @SuppressWarnings("unchecked")
  private Object collection(Class<?> type, Type generic, org.apache.kafka.common.protocol.types.Type wire) throws Exception {
    boolean isInterface = type.isInterface();  // List<Element>; else some ElementCollection extends ImplicitLinked…<Element>
    Type declared = isInterface ? generic : type.getGenericSuperclass();
    Class<?> element = (Class<?>) ((ParameterizedType) declared).getActualTypeArguments()[0];
    Collection<Object> collection = isInterface ? new java.util.ArrayList<>() : (Collection<Object>) type.getConstructor().newInstance();
    int count = allTags ? 2 : random.nextInt(4);
    for (int i = 0; i < count; ++i) collection.add(value(element, element, wire.arrayElementType().get()));
    return collection;
  }

  private long integer(long low, long high) {
    switch (random.nextInt(4)) {
      case 0: return low;
      case 1: return high;
      case 2: return random.nextInt(100);
      default: return low + Math.floorMod(random.nextLong(), high - low > 0 ? high - low : Long.MAX_VALUE);
    }
  }

  private byte[] bytes() {
    byte[] bytes = TEXTS[random.nextInt(TEXTS.length)].getBytes(StandardCharsets.UTF_8);
    if (bytes.length > 0) bytes[0] = (byte) random.nextInt();
    return bytes;
  }
}
