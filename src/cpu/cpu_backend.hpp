// The CPU backend: Eigen and OpenMP, LAPACK where it was found.
#pragma once

#include <memory>
#include <string>

#include "device/backend.hpp"  // for Backend

namespace kronite {

class CpuBackend final : public Backend {
 public:
  explicit CpuBackend(const DeviceOptions& options);
  ~CpuBackend() override;

  Place place() const override { return {}; }
  std::string description() const override;
  void copy(void* to, Place to_place, const void* from, Place from_place,
            std::size_t bytes) override;
  void synchronize() override;

  LinalgOps<float>& linalg(float) override { return *linalg_float_; }
  LinalgOps<double>& linalg(double) override { return *linalg_double_; }
  KernelOps<float>& kernels(float) override { return *kernels_float_; }
  KernelOps<double>& kernels(double) override { return *kernels_double_; }
  NetworkOps<float>& network(float) override { return *network_float_; }
  NetworkOps<double>& network(double) override { return *network_double_; }
  TrainOps<float>& training(float) override { return *training_float_; }
  TrainOps<double>& training(double) override { return *training_double_; }
  SelectOps<float>& select(float) override { return *select_float_; }
  SelectOps<double>& select(double) override { return *select_double_; }
  SiteOps& sites() override { return *sites_; }
  MixtureOps& mixtures() override { return *mixtures_; }
  SimplexOps& simplex() override { return *simplex_; }
  FunctionalOps& functional() override { return *functional_; }
  RaggedOps& ragged() override { return *ragged_; }
  GroupOps& group() override { return *group_; }

  int threads() const { return threads_; }
  /// Keeps a numerical failure for synchronize(); the first one is the one thrown.
  void keep_failure(const std::string& sentence);

 private:
  void* take(std::size_t bytes) override;
  void give_back(void* pointer) noexcept override;

  int threads_;
  std::string failure_;
  std::unique_ptr<LinalgOps<float>> linalg_float_;
  std::unique_ptr<LinalgOps<double>> linalg_double_;
  std::unique_ptr<KernelOps<float>> kernels_float_;
  std::unique_ptr<KernelOps<double>> kernels_double_;
  std::unique_ptr<NetworkOps<float>> network_float_;
  std::unique_ptr<NetworkOps<double>> network_double_;
  std::unique_ptr<TrainOps<float>> training_float_;
  std::unique_ptr<TrainOps<double>> training_double_;
  std::unique_ptr<SelectOps<float>> select_float_;
  std::unique_ptr<SelectOps<double>> select_double_;
  std::unique_ptr<SiteOps> sites_;
  std::unique_ptr<MixtureOps> mixtures_;
  std::unique_ptr<SimplexOps> simplex_;
  std::unique_ptr<FunctionalOps> functional_;
  std::unique_ptr<RaggedOps> ragged_;
  std::unique_ptr<GroupOps> group_;
};

std::unique_ptr<Backend> make_cpu_backend(const DeviceOptions& options);

// --- the operation groups, one file each ---------------------------------------------------------

/// Who factorises: LAPACK is much faster from n = 100 on, Eigen is always there.
enum class Factoriser { eigen, lapack };
/// LAPACK when this build has it.
Factoriser best_factoriser();

template <class T>
std::unique_ptr<LinalgOps<T>> make_cpu_linalg(CpuBackend& backend, Factoriser factoriser);
template <class T>
std::unique_ptr<KernelOps<T>> make_cpu_kernels(CpuBackend& backend);
template <class T>
std::unique_ptr<NetworkOps<T>> make_cpu_network(CpuBackend& backend);
template <class T>
std::unique_ptr<TrainOps<T>> make_cpu_training(CpuBackend& backend);
template <class T>
std::unique_ptr<SelectOps<T>> make_cpu_select(CpuBackend& backend);
std::unique_ptr<SiteOps> make_cpu_sites(CpuBackend& backend);
std::unique_ptr<MixtureOps> make_cpu_mixture(CpuBackend& backend);
std::unique_ptr<SimplexOps> make_cpu_simplex(CpuBackend& backend);
std::unique_ptr<FunctionalOps> make_cpu_functional(CpuBackend& backend);
std::unique_ptr<RaggedOps> make_cpu_ragged(CpuBackend& backend);
std::unique_ptr<GroupOps> make_cpu_group(CpuBackend& backend);

}  // namespace kronite
