#include "query/protocol/messages.h"

#include <concepts>
#include <type_traits>

namespace tripos::protocol {

namespace {

// How values stand in a frame: integers big-endian; strings and lists behind a count of 32 bits; structs field by field.
template <typename T>
struct IsVector : std::false_type {};
template <typename T>
struct IsVector<std::vector<T>> : std::true_type {};

template <typename T>
concept Struct = requires(T value) { value.fields(); };
template <typename T>
concept Id = requires(T value) {
  typename T::rep;
  value.value();
};

template <typename T>
constexpr std::underlying_type_t<T> last_enumerator() {
  if constexpr (std::same_as<T, ErrorCode>) {
    return static_cast<std::underlying_type_t<T>>(ErrorCode::query);
  } else {
    return static_cast<std::underlying_type_t<T>>(T::last);
  }
}

class Encoder {
 public:
  explicit Encoder(Buffer& to) : to_(to) {}

  template <typename T>
  void put(const T& value) {
    if constexpr (std::same_as<T, bool>) {
      append_be<std::uint8_t>(to_, value ? 1 : 0);
    } else if constexpr (std::integral<T>) {
      append_be(to_, value);
    } else if constexpr (std::same_as<T, ErrorCode>) {
      append_be(to_, static_cast<std::uint8_t>(value));
    } else if constexpr (std::is_enum_v<T>) {
      append_be(to_, static_cast<std::underlying_type_t<T>>(value));
    } else if constexpr (std::same_as<T, std::string>) {
      append_be(to_, static_cast<std::uint32_t>(value.size()));
      to_.append(value);
    } else if constexpr (std::same_as<T, Uuid>) {
      to_.append(value.bytes.data(), value.bytes.size());
    } else if constexpr (IsVector<T>::value) {
      append_be(to_, static_cast<std::uint32_t>(value.size()));
      for (const auto& element : value) put(element);
    } else if constexpr (Id<T>) {
      append_be(to_, value.value());
    } else {
      static_assert(Struct<T>);
      std::apply([this](const auto&... field) { (this->put(field), ...); }, value.fields());
    }
  }

 private:
  Buffer& to_;
};

class Decoder {
 public:
  explicit Decoder(Bytes from) : from_(from) {}

  [[nodiscard]] bool at_end() const { return from_.empty(); }

  template <typename T>
  [[nodiscard]] bool get(T& value) {
    if constexpr (std::same_as<T, bool>) {
      std::uint8_t byte = 0;
      if (!get(byte) || byte > 1) return false;
      value = byte == 1;
      return true;
    } else if constexpr (std::integral<T>) {
      if (from_.size() < sizeof(T)) return false;
      value = load_be<T>(from_.data());
      from_.remove_prefix(sizeof(T));
      return true;
    } else if constexpr (std::is_enum_v<T>) {
      std::uint8_t byte = 0;
      if (!get(byte) || byte > last_enumerator<T>()) return false;
      value = static_cast<T>(byte);
      return true;
    } else if constexpr (std::same_as<T, std::string>) {
      std::uint32_t size = 0;
      if (!get(size) || size > from_.size()) return false;
      value.assign(from_.substr(0, size));
      from_.remove_prefix(size);
      return true;
    } else if constexpr (std::same_as<T, Uuid>) {
      if (from_.size() < value.bytes.size()) return false;
      from_.copy(value.bytes.data(), value.bytes.size());
      from_.remove_prefix(value.bytes.size());
      return true;
    } else if constexpr (IsVector<T>::value) {
      return get_list(value);
    } else if constexpr (Id<T>) {
      typename T::rep raw = 0;
      if (!get(raw)) return false;
      value = T(raw);
      return true;
    } else {
      static_assert(Struct<T>);
      return std::apply([this](auto&... field) { return (this->get(field) && ...); }, value.fields());
    }
  }

 private:
  // The list grows with what is really there: a count alone allocates nothing, and each element takes at least one byte.
  template <typename T>
  [[nodiscard]] bool get_list(std::vector<T>& list) {
    std::uint32_t count = 0;
    if (!get(count) || count > from_.size()) return false;
    list.clear();
    for (std::uint32_t i = 0; i < count; ++i) {
      if (!get(list.emplace_back())) return false;
    }
    return true;
  }

  Bytes from_;
};

template <typename Variant>
Buffer encode_variant(const Variant& message) {
  Buffer bytes;
  append_be(bytes, static_cast<std::uint8_t>(message.index()));
  std::visit([&bytes](const auto& alternative) { Encoder(bytes).put(alternative); }, message);
  return bytes;
}

template <typename Variant, std::size_t... index>
bool emplace_alternative(Variant& message, std::size_t number, std::index_sequence<index...> /*alternatives*/) {
  return ((number == index && (message.template emplace<index>(), true)) || ...);
}

template <typename Variant>
Result<Variant> decode_variant(Bytes bytes) {
  Decoder decoder(bytes);
  std::uint8_t number = 0;
  Variant message;
  if (!decoder.get(number) || !emplace_alternative(message, number, std::make_index_sequence<std::variant_size_v<Variant>>())) {
    return fail(ErrorCode::malformed, "worker protocol: no message has the number {}", number);
  }
  const bool whole = std::visit([&decoder](auto& alternative) { return decoder.get(alternative); }, message);
  if (!whole || !decoder.at_end()) {
    return fail(ErrorCode::malformed, "worker protocol: message number {} of {} bytes breaks its format", number, bytes.size());
  }
  return message;
}

}  // namespace

Buffer encode(const ToWorker& message) { return encode_variant(message); }
Buffer encode(const ToServer& message) { return encode_variant(message); }

Result<ToWorker> decode_to_worker(Bytes bytes) { return decode_variant<ToWorker>(bytes); }
Result<ToServer> decode_to_server(Bytes bytes) { return decode_variant<ToServer>(bytes); }

}  // namespace tripos::protocol
