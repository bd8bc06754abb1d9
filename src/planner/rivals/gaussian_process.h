// Regression by a Gaussian process with a Matern-5/2 kernel (Rasmussen and Williams, "Gaussian Processes for Machine
// Learning", 2006, chapters 2 and 4), and the expected improvement over the least value seen.
#pragma once

#include <Eigen/Dense>

namespace funcpipe {

class GaussianProcess {
 public:
  // `points`: one a row. The length scale is the likeliest of a few.
  GaussianProcess(Eigen::MatrixXd points, const Eigen::VectorXd& values);

  // How far below the least value a draw at `point` lies, on average.
  double expected_improvement(const Eigen::VectorXd& point) const;

 private:
  Eigen::MatrixXd points_;
  double mean_ = 0, scale_ = 1, least_ = 0;  // values are shifted and scaled to mean 0, deviation 1
  double length_ = 1;
  Eigen::LLT<Eigen::MatrixXd> factor_;
  Eigen::VectorXd weights_;
};

}  // namespace funcpipe
