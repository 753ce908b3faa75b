// The `self` of a method, refused where __init__ never ran.
//
// pybind11 hands uninitialised memory to a method of an object made by cls.__new__(cls) alone; with
// its own metaclass or not. A Self<T> argument raises TypeError instead.
#pragma once

#include <pybind11/pybind11.h>

namespace bindings {

template <class T>
class Self {
 public:
  Self() = default;
  explicit Self(pybind11::handle object) : object_(object) {
    auto* instance = reinterpret_cast<pybind11::detail::instance*>(object.ptr());
    auto held = instance->get_value_and_holder();
    if (!held.holder_constructed()) {
      throw pybind11::type_error(
          "the object is not initialised; expected one made by calling the "
          "class; call __init__ first");
    }
    value_ = static_cast<T*>(held.value_ptr());
  }
  T& operator*() const { return *value_; }
  T* operator->() const { return value_; }
  pybind11::handle object() const { return object_; }

 private:
  pybind11::handle object_;
  T* value_ = nullptr;
};

}  // namespace bindings

namespace pybind11::detail {
template <class T>
struct type_caster<bindings::Self<T>> {
  PYBIND11_TYPE_CASTER(bindings::Self<T>, make_caster<T>::name);
  bool load(handle object, bool) {
    if (!isinstance<T>(object)) return false;
    value = bindings::Self<T>(object);
    return true;
  }
};
}  // namespace pybind11::detail
