# What scripts/* share: packages, the packed dependencies, and one way to configure and build.
# Sourced by bash scripts; needs nothing beyond a Debian base system.
# shellcheck shell=bash
set -euo pipefail

kronite_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# The CUDA Toolkit's usual place is often not on PATH.
if ! command -v nvcc >/dev/null && [[ -x /usr/local/cuda/bin/nvcc ]]; then
  PATH=$PATH:/usr/local/cuda/bin
fi

say() { printf 'kronite: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# kronite_packages GROUP...: Debian package names, one per line. docs and messages take them from here.
kronite_packages() {
  local group
  for group in "$@"; do
    case $group in
      build)  # compiler, tools, and the libraries of cmake/dependencies.cmake
        printf '%s\n' g++ cmake ninja-build libeigen3-dev libopenblas-dev libfmt-dev zlib1g-dev \
          liblzma-dev libzstd-dev libbz2-dev nlohmann-json3-dev libsimdjson-dev gemmi-dev tao-pegtl-dev \
          libstb-dev libdlpack-dev libsymspg-dev libcli11-dev libtomlplusplus-dev ;;
      test) printf '%s\n' libgtest-dev python3 libhdf5-dev ;;
      bench) printf '%s\n' libbenchmark-dev ;;
      fuzz) printf '%s\n' clang libclang-rt-14-dev libomp-dev ;;
      data)  # only to make data/ anew
        printf '%s\n' libavogadro-data libncrystal-data ;;
      *) die "there is no package group '$group': build, test, bench, fuzz or data" ;;
    esac
  done
}

# have_package NAME: tools count from wherever they come, libraries as Debian packages.
have_package() {
  case $1 in
    g++ | cmake | python3) command -v "$1" >/dev/null ;;
    ninja-build) command -v ninja >/dev/null ;;
    *) [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]] ;;
  esac
}

# apt_get ARGS...: as root or through sudo; quiet unless it fails.
apt_get() {
  local root=() log
  [[ $EUID -eq 0 ]] || root=(sudo)
  log=$(mktemp)
  if ! "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -q "$@" >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

may_install() {
  command -v apt-get >/dev/null || return 1
  [[ $EUID -eq 0 ]] && return 0
  # sudo without a password, or with somebody there to type it.
  command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [[ -t 0 ]]; }
}

# ensure_packages GROUP...: installs what is missing, after naming it. With KRONITE_DEPS set to a
# folder made by scripts/pack-deps, that folder is used and nothing is installed.
ensure_packages() {
  local missing=() package
  if [[ -n ${KRONITE_DEPS:-} ]]; then
    use_packed_deps
    return
  fi
  if ! command -v dpkg-query >/dev/null; then
    say "not a Debian system: taking the libraries as they are; CMake names the first that is missing"
    return
  fi
  for package in $(kronite_packages "$@"); do
    have_package "$package" || missing+=("$package")
  done
  [[ ${#missing[@]} -gt 0 ]] || return 0
  may_install || die "these Debian packages are missing and cannot be installed without root: ${missing[*]}" \
    "(run 'apt-get install ${missing[*]}' as root, or set KRONITE_DEPS to a folder made by scripts/pack-deps)"
  say "installing ${#missing[@]} Debian packages: ${missing[*]}"
  apt_get update || say "apt-get update failed; trying with the package lists that are there"
  apt_get install --no-install-recommends "${missing[@]}" ||
    die "apt-get could not install: ${missing[*]} (its last lines are above)"
}

# use_packed_deps: checks KRONITE_DEPS and the tools that no folder can bring.
use_packed_deps() {
  local tool
  [[ -f $KRONITE_DEPS/MANIFEST.txt ]] ||
    die "KRONITE_DEPS=$KRONITE_DEPS is not a folder made by scripts/pack-deps (it has no MANIFEST.txt)"
  KRONITE_DEPS=$(cd "$KRONITE_DEPS" && pwd)
  export KRONITE_DEPS
  [[ ! -d $KRONITE_DEPS/data ]] || export KRONITE_TEST_DATA=${KRONITE_TEST_DATA:-$KRONITE_DEPS/data}
  for tool in c++ cmake python3; do
    command -v "$tool" >/dev/null || die "building from KRONITE_DEPS needs $tool on PATH"
  done
  say "building from the packed dependencies in $KRONITE_DEPS"
}

# has_nvcc: is there a CUDA compiler?
has_nvcc() { command -v nvcc >/dev/null; }

# build_jobs: one per core, but at most one per 2 GiB of free memory (templates and nvcc are hungry).
build_jobs() {
  local kib limit cores by_memory
  kib=$(awk '/^MemAvailable:/ {print $2}' /proc/meminfo)
  limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null || echo max)
  if [[ $limit != max ]] && ((limit / 1024 < kib)); then kib=$((limit / 1024)); fi
  cores=$(nproc)
  by_memory=$((kib / (2 * 1024 * 1024)))
  ((by_memory >= 1)) || by_memory=1
  echo $((cores < by_memory ? cores : by_memory))
}

# default_preset: with the CUDA module where it can be built.
default_preset() { if has_nvcc; then echo cuda; else echo cpu; fi; }

# configure_and_build PRESET [CMAKE ARGUMENT...]: everything, into build/PRESET.
configure_and_build() {
  configure "$@"
  build "$1"
}

# configure PRESET [CMAKE ARGUMENT...]: its output is shown only when it fails.
configure() {
  local preset=$1 folder log args=()
  shift
  folder=$kronite_root/build/$preset
  log=$folder/configure.log
  check_cmake_version
  command -v ninja >/dev/null || args+=(-G "Unix Makefiles")
  if [[ -n ${KRONITE_DEPS:-} ]]; then
    args+=("-DCMAKE_PREFIX_PATH=$(packed_prefix_path)")
  fi
  mkdir -p "$folder"
  say "configuring (preset $preset)"
  (cd "$kronite_root" && cmake --preset "$preset" "${args[@]}" "$@") >"$log" 2>&1 || {
    tail -n 30 "$log" >&2
    die "the configuration failed; its whole output is in $log"
  }
}

# build PRESET [TARGET...]: what was configured, all of it without targets.
build() {
  local folder=$kronite_root/build/$1
  shift
  say "building with $(build_jobs) jobs into $folder"
  cmake --build "$folder" --parallel "$(build_jobs)" ${1:+--target "$@"}
}

# packed_prefix_path: the second entry serves distributions without Debian's multiarch folders.
packed_prefix_path() {
  local arch
  arch=$(cat "$KRONITE_DEPS/architecture")
  printf '%s;%s' "$KRONITE_DEPS" "$KRONITE_DEPS/lib/$arch/cmake;$KRONITE_DEPS/lib/$arch"
}

check_cmake_version() {
  local version
  version=$(cmake --version | awk 'NR == 1 {print $3}')
  [[ $(printf '%s\n' 3.25 "$version" | sort -V | head -n 1) == 3.25 ]] ||
    die "CMake 3.25 or newer is needed, this is $version (Debian 12 has 3.25; 'pip install cmake' brings a newer one)"
}
